#include "cli/session.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/files.h"
#include "cli/flow_runner.h"
#include "cli/json.h"
#include "cli/live.h"
#include "cli/metrics_server.h"
#include "cli/object_events.h"
#include "cli/store.h"
#include "io/host.h"
#include "io/stop_signals.h"
#include "keys/keys.h"
#include "pipeline/engine.h"
#include "pipeline/runtime.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

using pipeline::EngineStatus;

constexpr std::uint64_t kOpenFiles = 65'536;

struct Recipients {
  std::vector<crypto::AgeRecipient> list;
  bool identity_made = false;
};

Result<Recipients> recipients_of(const pipeline::Config& config, Shell& shell) {
  if (!config.keys.recipients.empty()) return Recipients{TRY(keys::parse_recipients(config.keys.recipients)), false};
  World& world = shell.world;
  auto identity = TRY(keys::load_or_make_identity(world.files, config.keys.identity, world.random, world.clock));
  return Recipients{std::move(identity.recipients), identity.made_now};
}

pipeline::EngineOptions engine_options(const pipeline::Config& config, const io::Host& host,
                                       std::vector<crypto::AgeRecipient> recipients) {
  pipeline::EngineOptions options;
  options.state_directory = config.state;
  options.enclave = config.enclave;
  options.instance = host.instance;
  options.boot_id = host.boot_id;
  options.recipients = std::move(recipients);
  options.batch_bytes = config.archive.batch_bytes;
  options.object_bytes = config.archive.object_bytes;
  options.flush_after = config.archive.flush_after;
  options.heartbeat = config.archive.heartbeat;
  options.spool_bytes_max = config.spool.bytes_max;
  options.segment_bytes = config.spool.segment_bytes;
  return options;
}

Node text_node(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.scalar = std::move(text);
  return node;
}

/// As if it stood below inputs: the file in which `enclave object` records what was done.
Node object_events_input(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  // A pattern without wildcards names a file whose absence is reported. This one comes with the first operation.
  pattern.replace(pattern.size() - 1, 1, fmt::format("[{}]", pattern.back()));
  Node paths;
  paths.kind = Node::Kind::list;
  paths.items.push_back(text_node(std::move(pattern)));
  Node input;
  input.kind = Node::Kind::map;
  input.members.push_back({"type", {}, text_node("file")});
  input.members.push_back({"id", {}, text_node(std::string(kObjectEventsInput))});
  input.members.push_back({"paths", {}, std::move(paths)});
  return input;
}

/// Nothing when an input of the configuration reads that file, or has taken the name.
const pipeline::InputPlugin* reader_of_events(const pipeline::Config& config, const Node& wanted) {
  const pipeline::InputPlugin* file = nullptr;
  for (const auto* plugin : pipeline::input_plugins())
    if (plugin->name == "file") file = plugin;
  for (const auto& input : config.inputs) {
    if (input.id == kObjectEventsInput) return nullptr;
    if (file == nullptr || input.plugin != file || !input.enabled) continue;
    const std::vector<const Node*> both{&input.node, &wanted};
    Diagnostics overlaps;
    if (file->check_together != nullptr) file->check_together(std::span(both), overlaps);
    if (overlaps.has_errors()) return nullptr;
  }
  return file;
}

Result<void> add_inputs(const pipeline::Config& config, const Node& events, bool all, pipeline::Engine& engine,
                        Shell& shell, Live& live) {
  const auto add = [&](const pipeline::InputPlugin& plugin, const std::string& id, const Node& node) -> Result<void> {
    auto opened = plugin.open({node, shell.world, engine.positions(), engine.input_log()});
    if (!opened) return std::move(opened).error().within(fmt::format("the input {}", id));
    engine.add_input(id, std::move(*opened));
    return {};
  };
  std::size_t open = 0;
  for (const auto& input : config.inputs) {
    if (!input.enabled) continue;
    if (all) TRY(add(*input.plugin, input.id, input.node));
    ++open;
  }
  if (open == 0) live.say("No logs are read: there is no input below logging: inputs:");
  if (const auto* plugin = reader_of_events(config, events)) {
    TRY(make_directories(shell.world.files, parent_of(join_path(config.state, kObjectEvents))));
    TRY(add(*plugin, std::string(kObjectEventsInput), events));
  }
  return {};
}

std::string progress_line(const EngineStatus& status) {
  return fmt::format("{}, {} read, {} sealed, {} waiting{}", report::counted(status.records_read, "record"),
                     format_bytes(status.bytes_read), report::grouped(status.last_sealed_seq),
                     format_bytes(status.spool_bytes + status.outbox_bytes),
                     status.reading_stopped ? ", reading stopped: spool full" : "");
}

/// What a newcomer must know; said when the identity has just been made.
std::string identity_notice(const pipeline::Config& config) {
  return fmt::format(
      "The log identity was made now and lies in\n  {}\n"
      "Whoever has this file can read the whole log. Keep a copy in a safe place,\n"
      "move it away from this machine, and write its recipient (age1…, in the file)\n"
      "below keys: recipients: in enclave.yaml instead.",
      config.keys.identity);
}

std::string end_text(const EngineStatus& status, pipeline::RunEnd end, const std::string& store) {
  std::string out = fmt::format("Read {} ({}). The log has {}, up to record {}.",
                                report::counted(status.records_read, "record"), format_bytes(status.bytes_read),
                                status.leaves == 1 ? "1 leaf" : report::grouped(status.leaves) + " leaves",
                                report::grouped(status.last_sealed_seq));
  if (end == pipeline::RunEnd::all_sent) return out + fmt::format("\nAll of it is in {}", store);
  return out + fmt::format("\nWaiting on this disk: {}, because {} {}; what waits is sent at the next start",
                           report::counted(status.objects_waiting, "object"), store,
                           status.store_refuses ? "refuses them" : "cannot be reached");
}

class Session {
 public:
  Session(const pipeline::Config& config, const SessionOptions& options, Shell& shell)
      : config_(config),
        options_(options),
        shell_(shell),
        events_(object_events_input(join_path(config.state, kObjectEvents))),
        live_(options.json ? shell.err : shell.out, shell.err, shell.err_terminal) {}

  Result<int> run() {
    Files& files = shell_.world.files;
    TRY(make_directories(files, config_.state));
    const auto lock = TRY(lock_state(join_path(config_.state, kLockName)));
    (void)io::raise_open_files(kOpenFiles);
    auto waiter = TRY(io::Waiter::make());
    const io::Host host = TRY(io::this_host(files));
    FlowRequest flows = options_.flows;
    if (!flows.any()) flows.filters = config_.pipeline;
    TRY(flows_.plan(flows, host.hostname));
    const auto signals = TRY(io::StopSignals::catch_them([&] { stop(waiter); }, [&] { reload(); }));
    auto recipients = TRY(recipients_of(config_, shell_));
    const auto spool_key = TRY(keys::load_or_make_spool_key(
        files, config_.state, shell_.environment("CREDENTIALS_DIRECTORY").value_or(""), shell_.world.random));
    const auto store = TRY(open_log_bucket(config_, shell_));
    const auto engine = TRY(pipeline::Engine::open(
        shell_.world, engine_options(config_, host, std::move(recipients.list)), spool_key, *store));
    engine->on_trouble([&](std::string_view text, bool over) {
      live_.say(fmt::format("{}: {}", over ? "No longer so" : "Trouble", text));
    });
    greet(engine->status(), recipients.identity_made);
    TRY(add_inputs(config_, events_, !flows_.reads_enclave_inputs(), *engine, shell_, live_));
    TRY(flows_.open({config_.state, &config_, engine.get(), host.hostname, options_.once}));
    return finish(*engine, *store, waiter);
  }

 private:
  void stop(const io::Waiter& waiter) {
    // What flows still hold goes into the archive before the engine ends: the engine waits for them.
    flows_.stop();
    stop_ = true;
    waiter.wake();
  }

  void reload() {
    if (options_.once) return;
    if (flows_.empty()) return live_.say("Nothing is read again: enclave.yaml is read at the start only.");
    flows_.reload();
  }

  void greet(const EngineStatus& status, bool identity_made) {
    if (identity_made) live_.say(identity_notice(config_));
    live_.say(fmt::format("Log {}; whoever verifies it needs this key:\n  {}", status.origin, status.trust_anchor));
    for (const auto& notice : status.notices) live_.say("Note: " + notice);
  }

  Result<int> finish(pipeline::Engine& engine, const cloud::ObjectStore& store, io::Waiter& waiter) {
    pipeline::RunOptions run;
    run.once = options_.once;
    run.stop = &stop_;
    run.waiter = &waiter;
    run.status_path = join_path(config_.state, kStatusName);
    if (shell_.err_terminal) run.progress = [&](const EngineStatus& status) { live_.line(progress_line(status)); };
    const auto metrics = TRY(serve_metrics(options_.metrics, config_.metrics.listen, flows_.apis(), shell_, live_, [&] {
      return pipeline::Observed{0, 0, {}, engine.status(), flows_.status()};
    }));
    if (!flows_.empty()) {
      run.tick = [&] {
        (void)replace_file(shell_.world.files, join_path(config_.state, kFlowsName), flows_.status_json());
      };
      flows_.start([&] { flow_ended(waiter); });
    } else {
      // Of an earlier run: it would look as if these flows were here.
      (void)remove_if_there(shell_.world.files, join_path(config_.state, kFlowsName));
    }
    const auto end = TRY(pipeline::run_engine(shell_.world, engine, run));
    const bool flows_done = TRY(flows_.finish());
    live_.clear();
    const EngineStatus status = engine.status();
    if (options_.json) {
      shell_.out << pipeline::format_status(status, shell_.world.clock.wall_ns());
      if (!flows_.empty()) shell_.out << flows_.status_json();
    } else {
      live_.say(end_text(status, end, store.name()));
      if (!flows_done) live_.say("Outputs are away: what they did not get is read again at the next start.");
    }
    return options_.once && (end == pipeline::RunEnd::outbox_left || !flows_done) ? kFailed : kGood;
  }

  /// A flow that cannot go on must not look as if it ran.
  void flow_ended(const io::Waiter& waiter) {
    if (flows_.failed()) stop(waiter);
  }

  const pipeline::Config& config_;
  const SessionOptions& options_;
  Shell& shell_;
  const Node events_;
  Live live_;
  FlowRunner flows_{shell_, live_};
  std::atomic<bool> stop_{false};
};

}  // namespace

Result<io::Lock> lock_state(const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    auto lock = io::lock_file(path);
    if (lock || lock.error().fault() != Fault::conflict || attempt == 10) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<int> run_session(const pipeline::Config& config, const SessionOptions& options, Shell& shell) {
  return Session(config, options, shell).run();
}

}  // namespace enclave::cli
