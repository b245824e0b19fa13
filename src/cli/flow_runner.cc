#include "cli/flow_runner.h"

#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "pipeline/flow/archive_output.h"
#include "pipeline/flow/enclave_source.h"
#include "pipeline/flow/flow_file.h"

namespace enclave::cli {
namespace {

using pipeline::FlowStatus;
using pipeline::LogstashPlan;

}  // namespace

Result<void> FlowRunner::plan(const FlowRequest& request, const std::string& host) {
  host_ = host;
  Diagnostics diagnostics;
  for (const auto& part : request.parts()) {
    Part& made = parts_.emplace_back();
    made.request = part;
    made.files = std::make_shared<FlowFiles>(shell_);
    made.planned = made.files->plan(part, host, diagnostics);
    made.wait.read(watched(made, *made.files));
  }
  if (parts_.empty()) return {};
  if (diagnostics.has_errors()) {
    const std::string& file = !request.logstash.empty() ? request.logstash : request.path();
    parts_.clear();
    return Error{Fault::invalid, "{} cannot be used:\n{}", file, diagnostics.text()};
  }
  TRY(open_own_log());
  note(diagnostics);
  return {};
}

void FlowRunner::note(const Diagnostics& diagnostics) {
  for (const auto& entry : diagnostics.entries()) {
    if (!noted_.insert(entry.text).second) continue;
    live_.say(fmt::format("Note: {}", entry.text));
    if (own_log_) own_log_->write(RotatingLog::Level::warning, entry.text);
  }
}

void FlowRunner::tell(RotatingLog::Level level, const std::string& text) {
  live_.say(text);
  if (own_log_) own_log_->write(level, text);
}

/// Where filebeat.yml names a folder for it: what is told is written there too.
Result<void> FlowRunner::open_own_log() {
  const auto* const config = parts_.back().files->filebeat();
  if (config == nullptr || !config->logging.to_files || config->logging.path.empty()) return {};
  const auto& logging = config->logging;
  RotatingLog::Options options;
  options.folder = absolute_path(shell_, logging.path);
  options.name = logging.name;
  options.bytes_max = logging.rotateeverybytes.value;
  options.keep = static_cast<std::size_t>(logging.keepfiles);
  options.mode = logging.permissions.bits;
  options.least = level_of(logging.level);
  options.json = logging.json;
  options.dated = config->generation >= 8;
  options.at_startup = logging.rotateonstartup;
  auto log = RotatingLog::open(shell_.world, std::move(options));
  if (!log) return std::move(log).error().within("logging.files");
  own_log_ = std::move(*log);
  own_log_->write(RotatingLog::Level::info, fmt::format("enclave {} begins with this configuration", ENCLAVE_VERSION));
  return {};
}

std::vector<pipeline::ListenAddress> FlowRunner::apis() const {
  std::vector<pipeline::ListenAddress> all;
  for (const Part& part : parts_) all.insert(all.end(), part.files->apis().begin(), part.files->apis().end());
  return all;
}

bool FlowRunner::needs_archive() const {
  return std::ranges::any_of(parts_, [](const Part& part) {
    return std::ranges::any_of(part.planned, [](const auto& each) { return each.archive != LogstashPlan::kNoArchive; });
  });
}
bool FlowRunner::reads_enclave_inputs() const {
  return std::ranges::any_of(
      parts_, [](const Part& part) { return std::ranges::any_of(part.planned, &Planned::wants_inputs); });
}

void FlowRunner::add_inputs(pipeline::FlowPlan& flow) const {
  for (const auto& input : opening_.config->inputs) {
    if (!input.enabled) continue;
    pipeline::FlowSource source;
    source.id = input.id;
    source.recipe = recipe_of_input(input.id);
    source.source = pipeline::make_enclave_source(*input.plugin, input.node, opening_.host);
    flow.sources.push_back(std::move(source));
  }
}

/// One that was closed is over for the engine: it gets another.
Result<pipeline::ArchiveHandoff*> FlowRunner::handoff_of(const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto& handoff = handoffs_[id];
  if (!handoff || handoff->closed()) {
    handoff = TRY(pipeline::ArchiveHandoff::make());
    opening_.engine->add_input("flow " + id, handoff->input());
  }
  return handoff.get();
}

Result<std::unique_ptr<pipeline::Flow>> FlowRunner::open_flow(Planned& planned, const std::shared_ptr<FlowFiles>& files,
                                                              pipeline::FlowEstate* estate) {
  const std::string id = planned.flow.id;
  pipeline::FlowOptions options{
      .world = shell_.world, .state_directory = flow_directory(opening_.state, id), .once = opening_.once};
  options.imported = std::move(planned.imported);
  options.made_from = files;
  options.estate = estate;
  options.tell = [this, id](std::string_view text, bool over) {
    tell(over ? RotatingLog::Level::info : RotatingLog::Level::error,
         fmt::format("{} ({}): {}", over ? "No longer so" : "Trouble", id, text));
  };
  if (planned.wants_inputs && opening_.config != nullptr) add_inputs(planned.flow);
  if (planned.flow.sources.empty())
    return Error{Fault::invalid, "the pipeline {} has no input, and enclave.yaml names none", id};
  if (planned.archive != LogstashPlan::kNoArchive) {
    auto* const handoff = TRY(handoff_of(id));
    planned.flow.outputs[planned.archive].output = handoff->output();
    options.positions = &opening_.engine->positions();
  }
  auto flow = pipeline::Flow::open(std::move(planned.flow), std::move(options));
  if (!flow) return std::move(flow).error().within(fmt::format("the pipeline {}", id));
  return flow;
}

Result<void> FlowRunner::open(const Opening& opening) {
  opening_ = opening;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    for (auto& planned : std::exchange(parts_[part].planned, {})) {
      auto one = std::make_unique<Running>();
      one->id = planned.flow.id;
      one->part = part;
      one->wants_inputs = planned.wants_inputs;
      one->reloadable = planned.reloadable;
      one->files = parts_[part].files;
      one->basis = std::move(planned.basis);
      one->flow = TRY(open_flow(planned, one->files, nullptr));
      flows_.push_back(std::move(one));
    }
  }
  return {};
}

void FlowRunner::start(std::function<void()> ended) {
  ended_ = std::move(ended);
  left_ = flows_.size();
  const std::lock_guard lock(mutex_);
  for (auto& one : flows_) begin(*one);
  if (!opening_.once && !parts_.empty()) watcher_ = std::thread([this] { watch(); });
}

/// With mutex_ held.
void FlowRunner::begin(Running& one) {
  one.end.reset();
  one.estate.reset();
  one.handing_over = one.down = false;
  one.thread = std::thread([this, &one] { run(one); });
}

void FlowRunner::run(Running& one) {
  pipeline::Flow* flow = nullptr;
  {
    const std::lock_guard lock(mutex_);
    flow = one.flow.get();
  }
  auto end = flow->run();
  auto last = flow->status();
  std::unique_ptr<pipeline::Flow> gone;
  {
    const std::lock_guard lock(mutex_);
    one.last = std::move(last);
    one.end = std::move(end);
    gone = std::move(one.flow);
    if (one.handing_over) one.estate = gone->estate();
    if (!one.handing_over) {
      if (!*one.end) failed_ = true;
      if (const auto handoff = handoffs_.find(one.id); handoff != handoffs_.end()) handoff->second->close();
    }
  }
  // Its outputs go now, so that whoever waits for their end hears of it.
  gone.reset();
  leave();
}

void FlowRunner::leave() {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    last = --left_ == 0;
    if (last) stopping_ = true;  // nothing begins any more
  }
  if (last) close_handoffs(true);
  ended_();
}

/// Those of flows that are no more, else the engine would wait for them for ever.
void FlowRunner::close_handoffs(bool all) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, handoff] : handoffs_) {
    const auto one = std::ranges::find(flows_, id, [](const auto& each) -> const std::string& { return each->id; });
    if (all || one == flows_.end() || (*one)->flow == nullptr) handoff->close();
  }
}

void FlowRunner::stop() {
  std::size_t down = 0;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& one : flows_) {
      if (one->flow) one->flow->stop();
      if (std::exchange(one->down, false)) ++down;
    }
  }
  {
    const std::lock_guard lock(watch_mutex_);
    over_ = true;
  }
  woken_.notify_all();
  close_handoffs(false);
  for (; down > 0; --down) leave();
}

Result<bool> FlowRunner::finish() {
  {
    const std::lock_guard lock(watch_mutex_);
    over_ = true;
  }
  woken_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  bool all = true;
  std::optional<Error> first;
  for (auto& one : flows_) {
    if (one->thread.joinable()) one->thread.join();
    if (!one->end) continue;
    if (*one->end) {
      all = all && **one->end == pipeline::FlowEnd::all_delivered;
      continue;
    }
    if (own_log_) own_log_->write(RotatingLog::Level::critical, one->end->error().text());
    if (!first) first = one->end->error();
  }
  if (first) return *first;
  return all;
}

/// With mutex_ held.
FlowStatus FlowRunner::status_of(const Running& one) const {
  FlowStatus status = one.flow ? one.flow->status() : one.last;
  status.id = one.id;
  status.reloads = one.reloads;
  status.reloads_refused = one.refused;
  if (!one.trouble.empty()) status.troubles.push_back(one.trouble);
  return status;
}

std::vector<FlowStatus> FlowRunner::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<FlowStatus> all;
  for (const auto& one : flows_) all.push_back(status_of(*one));
  return all;
}

std::string FlowRunner::status_json() const { return pipeline::format_flows(status(), shell_.world.clock.wall_ns()); }

std::uint64_t FlowRunner::events_in() const {
  std::uint64_t sum = 0;
  for (const auto& one : status()) sum += one.events_in;
  return sum;
}

}  // namespace enclave::cli
