#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cloud/object_store.h"
#include "event/compress.h"
#include "pipeline/config/yaml.h"

namespace enclave::sim {
namespace {
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kObjectBytesMax = 1ULL << 28;
constexpr int kTurnsWithoutTime = 20'000;
constexpr std::int64_t kRestartNs = 1'000'000'000;
// The file input looks at everything at least this often, however little the watcher says.
constexpr seconds kScans{60};
constexpr std::array kStages = {pipeline::Stage::read, pipeline::Stage::commit, pipeline::Stage::upload};

crypto::AgeIdentity identity_of(std::uint64_t seed) {
  SimRandom random(seed);
  return crypto::AgeIdentity::generate(random);
}

Node node_of(const std::string& yaml) {
  Diagnostics diagnostics;
  Node node = pipeline::parse_yaml(yaml, "sim.yaml", diagnostics);
  if (diagnostics.has_errors()) fmt::print(stderr, "{}", diagnostics.text());
  ENSURE(!diagnostics.has_errors());
  return node;
}

const pipeline::InputPlugin& plugin_of(const Node& config) {
  const Node* type = config.find("type");
  ENSURE(type != nullptr);
  for (const auto* plugin : pipeline::input_plugins()) {
    if (plugin->name != type->scalar) continue;
    Diagnostics diagnostics;
    plugin->check(config, diagnostics);
    if (diagnostics.has_errors()) fmt::print(stderr, "{}", diagnostics.text());
    ENSURE(!diagnostics.has_errors());
    return *plugin;
  }
  ENSURE(!"an input of this type");
  __builtin_unreachable();
}
}  // namespace

Sim::Sim(SimOptions options)
    : random(options.seed),
      disk(clock, random.next(), options.disk),
      store(clock, random.next()),
      logs(disk),
      options_(std::move(options)),
      identity_(identity_of(options_.seed)),
      input_config_(node_of(options_.input)) {
  store.set_dead([this] { return disk.halted(); });
  if (options_.trace) {
    disk.set_trace([this](const std::string& text) { note(text); });
    store.set_trace([this](const std::string& text) { note(text); });
  }
  const Disk::OtherProgram other(disk);
  logs.make_directories("/var/log");
  logs.make_directories("/var/lib");
}

Sim::~Sim() { disk.halt(); }

void Sim::note(std::string text) {
  if (options_.trace) trace_.push_back(fmt::format("{:12.6f} {}", static_cast<double>(clock.elapsed_ns()) / 1e9, text));
}

void Sim::problem(std::string text) {
  note("PROBLEM " + text);
  problems_.push_back(std::move(text));
}

Result<void> Sim::open() {
  auto options = options_.engine;
  options.state_directory = "/var/lib/enclave";
  options.enclave = "sim";
  options.instance = "vm";
  options.boot_id = clock.boot_id();
  options.recipients = {identity_.recipient()};
  const crypto::Secret spool_key(std::string(32, 'k'));
  World world{clock, disk, random};
  auto engine = TRY(pipeline::Engine::open(world, std::move(options), spool_key, store));
  const auto& plugin = plugin_of(input_config_);
  auto input = TRY(plugin.open({input_config_, world, engine->positions(), engine->input_log()}));
  engine->add_input(std::string(plugin.name), std::move(input));
  engine_ = std::move(engine);
  return {};
}

void Sim::start() {
  if (engine_ || clock.elapsed_ns() < next_start_ns_) return;
  auto opened = open();
  if (disk.halted()) return die(power_on_death_);
  if (opened) {
    failed_starts_ = 0;
    const auto status = engine_->status();
    anchors_.insert(status.trust_anchor);
    note(fmt::format("started {}: last seq {}, {} leaves", status.origin, status.last_seq, status.leaves));
    for (const auto& notice : status.notices) note("notice " + notice);
    return;
  }
  note("start failed: " + opened.error().text());
  // A disk that fails now and then may keep it from starting now and then.
  if (++failed_starts_ == 1000) problem("never starts: " + opened.error().text());
  next_start_ns_ = clock.elapsed_ns() + kRestartNs;
}

void Sim::die(bool power) {
  disk.halt();
  engine_.reset();
  power_on_death_ = false;
  if (power) {
    disk.cut_power();
    clock.advance(milliseconds(random.below(60'000)));
    clock.reboot();
    note("powered on with " + clock.boot_id());
  } else {
    disk.resume();
  }
}

void Sim::crash() { die(false); }
void Sim::cut_power() { die(true); }

void Sim::crash_within(std::uint64_t changes, bool power) {
  disk.halt_after(changes);
  power_on_death_ = power;
}

Sim::Turn Sim::turn() {
  start();
  if (!engine_) return Turn::rested;
  auto stages = kStages;
  std::swap(stages[0], stages[random.below(3)]);
  std::swap(stages[1], stages[1 + random.below(2)]);
  bool worked = false;
  for (const auto stage : stages) {
    const auto step = stage == pipeline::Stage::read     ? engine_->read_step()
                      : stage == pipeline::Stage::commit ? engine_->commit_step()
                                                         : engine_->upload_step();
    worked = worked || step == pipeline::Engine::Step::worked;
    if (disk.halted()) {
      die(power_on_death_);
      return Turn::died;
    }
    // Any stage may be slow: often only a part of them has its turn.
    if (worked && random.chance(0.3)) break;
  }
  return worked ? Turn::worked : Turn::rested;
}

void Sim::pass_time(std::int64_t until_ns) {
  std::int64_t left = until_ns - clock.elapsed_ns();
  if (engine_) {
    const std::int64_t next =
        std::min({engine_->next_read_boot_ns(), engine_->next_commit_boot_ns(), engine_->next_upload_boot_ns()});
    const std::int64_t sleep = next - std::min(next, clock.boot_ns());
    left = std::min(left, std::max<std::int64_t>(sleep, 1'000'000));
  } else {
    left = std::min(left, std::max<std::int64_t>(next_start_ns_ - clock.elapsed_ns(), 1'000'000));
  }
  clock.advance(Nanoseconds(left));
}

void Sim::run_for(Nanoseconds duration) {
  const std::int64_t until = clock.elapsed_ns() + duration.count();
  int turns = 0;
  while (clock.elapsed_ns() < until) {
    if (turn() != Turn::rested) {
      if (++turns < kTurnsWithoutTime) continue;
      problem("works without end at one moment");
    }
    turns = 0;
    pass_time(until);
  }
}

bool Sim::run_until(Nanoseconds at_least, const std::function<bool()>& done) {
  run_for(at_least);
  const std::int64_t give_up = clock.elapsed_ns() + Nanoseconds(hours(6)).count();
  while (!done()) {
    if (clock.elapsed_ns() > give_up || problems_.size() > 10) return false;
    run_for(seconds(1));
  }
  return true;
}

std::string Sim::state_of_affairs() const {
  const auto now = status();
  return fmt::format("{}; read {}, committed {}, last {}, sealed {}, leaves {}, published {}, waiting {}{}; {}",
                     engine_ ? now.origin : "not running", now.records_read, now.records_committed, now.last_seq,
                     now.last_sealed_seq, now.leaves, now.published_leaves, now.objects_waiting,
                     now.reading_stopped ? ", reading has stopped" : "", fmt::join(now.troubles, "; "));
}

bool Sim::is_committed() const {
  const auto now = status();
  return engine_ && now.records_read == now.records_committed && !now.reading_stopped;
}

bool Sim::run_until_committed() {
  if (run_until(kScans, [&] { return is_committed(); })) return true;
  problem("does not commit what it read: " + state_of_affairs());
  return false;
}

bool Sim::run_until_idle() {
  if (run_until(kScans, [&] { return is_committed() && engine_->everything_sent(); })) return true;
  problem("does not come to rest: " + state_of_affairs());
  return false;
}

bool Sim::restart(bool reboot) {
  bool orderly = false;
  for (int i = 0; i < 5 && !engine_; ++i) run_for(seconds(1));
  if (engine_) {
    engine_->finish_reading();
    bool reading = true;
    const std::int64_t give_up = clock.elapsed_ns() + Nanoseconds(seconds(100)).count();
    for (int turns = 0; engine_ && clock.elapsed_ns() < give_up; ++turns) {
      const auto read = engine_->read_step();
      if (reading && read == pipeline::Engine::Step::ended) {
        reading = false;
        engine_->finish_committing();
      }
      const auto commit = engine_->commit_step();
      if (disk.halted()) break;
      orderly = !reading && commit == pipeline::Engine::Step::ended;
      if (orderly) break;
      if (read != pipeline::Engine::Step::worked && commit != pipeline::Engine::Step::worked)
        clock.advance(milliseconds(100));
      if (turns == kTurnsWithoutTime) {
        problem("does not end when it is told to");
        break;
      }
    }
  }
  note(orderly ? "stopped in order" : "killed while stopping");
  const bool power = disk.halted() && power_on_death_;
  if (reboot && !power) {
    die(false);
    disk.flush();
    clock.advance(seconds(20));
    clock.reboot();
  } else {
    die(power);
  }
  return orderly;
}

std::vector<event::Record> Sim::archived_records() {
  std::vector<event::Record> records;
  event::RecordReader reader;
  const auto read = [&](const std::string& bytes) -> Result<void> {
    const std::string packed = TRY(crypto::age_decrypt(bytes, std::span(&identity_, 1)));
    const std::string lines = TRY(event::decompress(packed, kObjectBytesMax));
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      if (end == std::string::npos) return Error{Fault::corrupt, "the last record has no end"};
      records.push_back(TRY(reader.read(std::string_view(lines).substr(at, end - at))));
      at = end + 1;
    }
    return {};
  };
  for (const auto& [key, bytes] : store.objects()) {
    if (key.find("/b/") == std::string::npos) continue;
    if (auto done = read(bytes); !done) problem(fmt::format("{}: {}", key, done.error().text()));
  }
  return records;
}

std::vector<std::string> Sim::archived_lines() {
  std::vector<std::string> lines;
  for (auto& record : archived_records()) lines.push_back(std::move(record.raw));
  return lines;
}

archive::VerifyReport Sim::verify() {
  store.recover();
  archive::VerifyOptions options;
  for (const auto& anchor : anchors_)
    if (auto key = archive::NoteVerifier::parse(anchor)) options.keys.push_back(*key);
  options.identities = std::span(&identity_, 1);
  options.now_wall_ns = clock.wall_ns();
  const auto source = cloud::bucket_source(store);
  auto report = archive::verify(*source, options, clock);
  if (report) return *report;
  problem("verify: " + report.error().text());
  return {};
}

}  // namespace enclave::sim
