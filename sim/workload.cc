#include "sim/workload.h"

#include <algorithm>

namespace enclave::sim {
namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kLineBytesMax = 3000;
constexpr std::uint64_t kCapacity = 8 << 20;

SimOptions options_for(std::uint64_t seed, bool trace) {
  SimRandom random(seed ^ 0x5EED);
  SimOptions options;
  options.seed = seed;
  options.trace = trace;
  options.disk.births = random.chance(0.8);
  if (random.chance(0.5))
    options.disk.watching = {.missed = random.chance(0.2) ? 1.0 : 0.3,
                             .overflow = random.chance(0.5) ? 0.5 : 0,
                             .delay_max = milliseconds(random.below(3000)),
                             .watches_max = random.chance(0.2) ? 0U : 1000U};
  auto& engine = options.engine;
  engine.batch_bytes = ByteCount{random.between(1, 64) << 10};
  engine.object_bytes = ByteCount{random.between(1, 32) << 10};
  engine.segment_bytes = ByteCount{random.between(1, 64) << 10};
  engine.spool_bytes_max = ByteCount{(random.chance(0.3) ? 64ULL : 4096ULL) << 10};
  engine.read_bytes = ByteCount{random.chance(0.5) ? random.between(1, 4096) : 1 << 20};
  engine.flush_after = milliseconds(random.between(100, 30'000));
  engine.heartbeat = seconds(random.between(20, 600));
  options.input = fmt::format("{{type: file, paths: ['/var/log/**'], max_bytes: {}}}", kLineBytesMax);
  return options;
}

class Workload {
 public:
  Workload(std::uint64_t seed, bool trace) : sim_(options_for(seed, trace)), random_(seed + 77) {
    careless_ = random_.chance(0.15);
    copies_ = random_.chance(0.6);
    sim_.disk.set_capacity(kCapacity);
  }

  Run run(std::uint64_t seed) {
    const std::uint64_t actions = random_.between(10, 60);
    for (std::uint64_t i = 0; i < actions && sim_.problems().empty(); ++i) act();
    heal();
    // What was held back, such as a last line that nothing ended, comes at the end of the reading.
    sim_.run_until_idle();
    if (!sim_.restart()) sim_.restart();
    sim_.run_until_idle();
    return judge(seed);
  }

 private:
  std::string some_path() {
    static constexpr std::array kNames = {"/var/log/auth.log", "/var/log/nova/api.log", "/var/log/web/a/b/access.log",
                                          "/var/log/syslog"};
    return kNames[random_.below(kNames.size())];
  }

  std::string line() {
    std::string text;
    const std::uint64_t kind = random_.below(20);
    const std::uint64_t size = kind == 0 ? random_.between(kLineBytesMax, 3 * kLineBytesMax) : random_.below(120);
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto any = static_cast<char>(random_.below(256));
      const auto letter = static_cast<char>('a' + random_.below(26));
      text += kind == 1 && any != '\n' ? any : letter;
    }
    if (kind == 2) text += '\0';
    if (kind == 3) text += "\r\r";
    if (kind == 4) text += "{\"a\": \"\\\"\xE2\x82\xAC\"}";
    return text + (kind < 5 && random_.chance(0.5) ? "\r\n" : "\n");
  }

  void append(const std::string& path, bool whole_lines) {
    std::string bytes;
    if (!account_.has(path)) bytes = account_.begin(path);
    const std::uint64_t lines = random_.chance(0.1) ? random_.between(50, 300) : random_.between(1, 6);
    for (std::uint64_t i = 0; i < lines; ++i) bytes += line();
    // Not within the mark: it stands in the first bytes that are ever read.
    if (!whole_lines && bytes.size() > 8 && random_.chance(0.3))
      bytes.resize(bytes.size() - random_.below(std::min<std::size_t>(bytes.size() - 8, 10)));
    sim_.logs.make_directories(path.substr(0, path.rfind('/')));
    sim_.append(path, bytes);
    account_.append(path, bytes);
  }

  bool terminated(const std::string& path) const { return account_.text(path).bytes.ends_with('\n'); }

  /// Everything in the files is durable in the spool, so that a file may go.
  void settle() {
    const bool away = away_;
    heal();
    sim_.run_until_committed();
    if (away) go_away(true);
  }

  /// x.log.2 becomes x.log.3, x.log.1 x.log.2; the oldest goes.
  void shift(const std::string& path) {
    for (int n = 3; n >= 1; --n) {
      const std::string from = fmt::format("{}.{}", path, n);
      if (!sim_.logs.exists(from)) continue;
      const std::string to = fmt::format("{}.{}", path, n + 1);
      if (n < 3) {
        sim_.logs.rename(from, to);
        if (account_.has(from)) account_.rename(from, to);
      } else if (account_.has(from)) {
        remove(from);
      } else {
        sim_.logs.remove(from);
      }
    }
  }

  void rotate_by_rename(const std::string& path) {
    shift(path);
    sim_.logs.rename(path, path + ".1");
    account_.rename(path, path + ".1");
    // A daemon goes on writing to the file that it has open until it is told.
    if (random_.chance(0.3)) append(path + ".1", true);
    if (random_.chance(0.3)) compress(path + ".1");
  }

  void compress(const std::string& path) {
    sim_.note("compress " + path);
    sim_.logs.gzip(path);
    // Its name is free for the next rotation; the packed file stays, under a name that no other has.
    const std::string packed = fmt::format("{}-{}.gz", path.substr(0, path.size() - 2), ++packed_);
    sim_.logs.rename(path + ".gz", packed);
    account_.end(path, false);
  }

  void remove(const std::string& path) {
    const bool careless = careless_ && random_.chance(0.5);
    if (!careless) {
      if (!terminated(path)) append(path, true);
      settle();
    }
    sim_.logs.remove(path);
    account_.end(path, careless);
  }

  void copytruncate(const std::string& path) {
    const bool careless = careless_ && random_.chance(0.5);
    if (!careless) {
      if (!terminated(path)) append(path, true);
      settle();
    }
    if (copies_ && random_.chance(0.5)) {
      shift(path);
      sim_.logs.copytruncate(path, path + ".1");
    } else if (copies_) {
      sim_.logs.copytruncate(path, fmt::format("{}-{}", path, ++packed_));
    } else {
      sim_.logs.copytruncate(path, "/var/elsewhere");
    }
    account_.end(path, careless);
    if (random_.chance(0.7)) append(path, random_.chance(0.8));
  }

  void rotate() {
    const auto paths = account_.paths();
    if (paths.empty()) return;
    const std::string path = paths[random_.below(paths.size())];
    const bool current = path.ends_with("log");
    switch (random_.below(5)) {
      case 0:
        return current ? copytruncate(path) : compress(path);
      case 1:
        return remove(path);
      case 2:
        if (!current) return compress(path);
        [[fallthrough]];
      default:
        if (current) rotate_by_rename(path);
    }
  }

  void go_away(bool away) {
    away_ = away;
    sim_.store.go_away(away);
  }

  void heal() {
    away_ = false;
    sim_.store.recover();
    sim_.disk.heal();
    sim_.disk.set_capacity(kCapacity);
  }

  void trouble() {
    switch (random_.below(7)) {
      case 0:
        return go_away(!away_);
      case 1:
        return sim_.store.stall(seconds(random_.below(100)));
      case 2:
        return sim_.store.set_manners(
            {.fails = random_.chance(0.5) ? 0.3 : 0, .answer_lost = random_.chance(0.5) ? 0.3 : 0});
      case 3:
        return sim_.disk.set_capacity(random_.chance(0.3) ? 0 : sim_.disk.used() + random_.below(20'000));
      case 4:
        return sim_.disk.fail({.calls = 1U << random_.below(13),
                               .below = random_.chance(0.8) ? "/var/lib" : "",
                               .fault = random_.chance(0.5) ? Fault::busy : Fault::limit,
                               .nth = random_.between(1, 40)});
      case 5:
        return sim_.disk.fail({.below = "/var/lib", .probability = 0.02});
      default:
        return heal();
    }
  }

  void end_process() {
    const bool power = random_.chance(0.5);
    ++(power ? power_cuts_ : crashes_);
    switch (random_.below(4)) {
      case 0:
        return power ? sim_.cut_power() : sim_.crash();
      case 1:
        --(power ? power_cuts_ : crashes_);
        (void)sim_.restart(random_.chance(0.5));
        return;
      default:
        sim_.crash_within(random_.below(random_.chance(0.5) ? 15 : 120), power);
        return sim_.run_for(milliseconds(random_.below(10'000)));
    }
  }

  // A file's times are one of the signs by which a short copy is told from an older file, so a clock that goes back and
  // forth makes one look like the other.
  void jump() {
    const auto by = seconds(random_.below(3600));
    sim_.clock.jump_wall(copies_ ? by : -by);
  }

  void act() {
    const std::uint64_t roll = random_.below(100);
    if (roll < 45) {
      append(some_path(), random_.chance(0.6));
    } else if (roll < 65) {
      sim_.run_for(milliseconds(random_.below(random_.chance(0.3) ? 30'000 : 2'000)));
    } else if (roll < 77) {
      rotate();
    } else if (roll < 89) {
      end_process();
    } else if (roll < 91) {
      jump();
    } else {
      trouble();
    }
  }

  Run judge(std::uint64_t seed) {
    Run run{.seed = seed, .wrong = {}, .trace = {}, .summary = {}};
    const auto records = sim_.archived_records();
    for (auto& text : account_.check(records)) run.wrong.push_back(std::move(text));
    const auto report = sim_.verify();
    judge_report(report, run);
    for (const auto& text : sim_.store.violations()) run.wrong.push_back("store: " + text);
    for (const auto& text : sim_.problems()) run.wrong.push_back(text);
    run.trace = sim_.trace();
    run.summary =
        fmt::format("{} records, {} bytes, {} leaves, {} crashes, {} power cuts", records.size(), account_.bytes(),
                    report.logs.empty() ? 0 : report.logs.back().size, crashes_, power_cuts_);
    return run;
  }

  void judge_report(const archive::VerifyReport& report, Run& run) const {
    const auto judge = [&](const archive::Finding& finding) {
      const bool allowed = careless_ && finding.verdict == archive::Verdict::gap;
      // Somebody did set the clock.
      const bool clock = finding.verdict == archive::Verdict::clock;
      if (finding.weight == archive::Weight::good || allowed || clock) return;
      run.wrong.push_back(
          fmt::format("verify: {} {} {}", archive::name_of(finding.verdict), finding.key, finding.text));
    };
    if (report.logs.size() != 1) run.wrong.push_back(fmt::format("{} logs in the store", report.logs.size()));
    for (const auto& log : report.logs) std::for_each(log.findings.begin(), log.findings.end(), judge);
    std::for_each(report.findings.begin(), report.findings.end(), judge);
  }

  Sim sim_;
  SimRandom random_;
  Account account_;
  bool careless_ = false;  ///< files go before they are read, which must be owned up to
  bool copies_ = false;    ///< copytruncate leaves the copy where the input looks
  bool away_ = false;
  std::uint64_t packed_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t power_cuts_ = 0;
};

}  // namespace

Run run_workload(std::uint64_t seed, bool trace) {
  Workload workload(seed, trace);
  return workload.run(seed);
}

}  // namespace enclave::sim
