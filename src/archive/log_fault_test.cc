#include <gmock/gmock.h>

#include <map>
#include <set>

#include "archive/log.h"
#include "archive/log_test_support.h"

/// Every call of the file system fails once, for a while, or is the last one before a crash; the log must come through.
namespace enclave::archive {
namespace {

/// What a caller did, and what it was told.
class Caller {
 public:
  explicit Caller(LogBed& bed) : bed_(bed) {}

  Log& log() { return *log_; }
  bool has_log() const { return log_ != nullptr; }
  void close() { log_.reset(); }

  bool open() {
    log_.reset();
    Notices notices;
    auto log = Log::open(bed_.world(), bed_.options, notices);
    if (log) log_ = std::move(*log);
    return log_ != nullptr;
  }
  bool append() {
    const std::uint64_t seq = log_->last_seq() + 1, size = log_->size();
    // Another attempt of the same batch has other bytes: its envelope is made anew.
    const std::string object = fmt::format("object {} attempt {}", seq, ++attempts_);
    tried_[seq].insert(object);
    const auto index = log_->append(bed_.batch(seq, seq), object);
    if (!index) {
      EXPECT_EQ(log_->size(), size);
      EXPECT_EQ(log_->last_seq(), seq - 1);
      return false;
    }
    EXPECT_EQ(*index, size);
    acknowledged_[seq] = object;
    return true;
  }
  bool heartbeat() {
    Leaf leaf;
    leaf.kind = LeafKind::heartbeat;
    leaf.boot_id = bed_.options.boot_id;
    return log_->append(leaf, {}).has_value();
  }
  bool send() {
    const auto pending = log_->pending();
    if (pending.empty()) return true;
    const auto object = log_->read_pending(pending[0].index);
    if (!object) {
      EXPECT_NE(object.error().fault(), Fault::corrupt) << object.error().text();
      return false;
    }
    sent_.insert(seq_of(*object));
    return log_->sent(pending[0].index).has_value();
  }
  bool publish() {
    const std::uint64_t size = log_->size();
    return log_->tiles_to_publish(size) && log_->checkpoint(size) && log_->published(size);
  }
  bool fork() { return log_->fork("a test").has_value(); }

  void check() {
    bed_.expect_sound(*log_);
    const std::string& origin = log_->origin();
    const std::uint64_t generation = std::stoull(origin.substr(origin.rfind('g') + 1));
    std::map<std::uint64_t, int> told, before;
    for (const auto& leaf : bed_.leaves(generation))
      if (leaf.seq) ++told[leaf.seq->first];
    for (std::uint64_t older = 1; older < generation; ++older)
      for (const auto& leaf : bed_.leaves(older))
        if (leaf.seq) ++before[leaf.seq->first];
    std::map<std::uint64_t, std::string> waiting;
    for (const auto& pending : log_->pending()) {
      const std::string object = log_->read_pending(pending.index).value();
      EXPECT_TRUE(waiting.emplace(seq_of(object), object).second);
    }
    for (const auto& [seq, times] : told) EXPECT_EQ(times, 1) << "record " << seq;
    for (const auto& [seq, object] : acknowledged_) {
      EXPECT_EQ(told[seq] + (before[seq] > 0 ? 1 : 0) > 0, true) << "record " << seq << " is lost";
      EXPECT_LE(seq, log_->last_seq());
      if (sent_.contains(seq)) continue;
      EXPECT_EQ(told[seq], 1) << "record " << seq;
      EXPECT_EQ(waiting[seq], object);
    }
    // What was not acknowledged is committed wholly or not at all.
    for (const auto& [seq, objects] : tried_) {
      if (acknowledged_.contains(seq) || sent_.contains(seq)) continue;
      EXPECT_EQ(told[seq], seq <= log_->last_seq() ? 1 : 0);
      EXPECT_EQ(waiting.contains(seq), seq <= log_->last_seq());
      EXPECT_TRUE(!waiting.contains(seq) || objects.contains(waiting[seq]));
    }
  }

 private:
  static std::uint64_t seq_of(const std::string& object) { return std::stoull(object.substr(7)); }

  LogBed& bed_;
  std::unique_ptr<Log> log_;
  int attempts_ = 0;
  std::map<std::uint64_t, std::string> acknowledged_;
  std::map<std::uint64_t, std::set<std::string>> tried_;
  std::set<std::uint64_t> sent_;
};

using Step = std::function<bool(Caller&, LogBed&)>;

std::vector<Step> script() {
  const Step open = [](Caller& caller, LogBed&) { return caller.open(); };
  const Step append = [](Caller& caller, LogBed&) { return caller.append(); };
  const Step heartbeat = [](Caller& caller, LogBed&) { return caller.heartbeat(); };
  const Step send = [](Caller& caller, LogBed&) { return caller.send(); };
  const Step publish = [](Caller& caller, LogBed&) { return caller.publish(); };
  const Step fork = [](Caller& caller, LogBed&) { return caller.fork(); };
  const auto boot = [](std::string id) -> Step {
    return [id](Caller& caller, LogBed& bed) {
      bed.options.boot_id = id;
      return caller.open();
    };
  };
  const Step copied = [](Caller& caller, LogBed& bed) {
    bed.options.instance = "vm-2";
    return caller.open();
  };
  return {open,   append, append, send, publish,   heartbeat, append, boot("b2"), append, open,
          append, fork,   append, send, heartbeat, publish,   append, boot("b3"), copied, append};
}

/// How many calls the whole script makes when nothing fails.
std::uint64_t calls_of_script() {
  LogBed bed;
  Caller caller(bed);
  for (const auto& step : script()) EXPECT_TRUE(step(caller, bed));
  caller.check();
  return bed.files.calls();
}

void crash_at(std::uint64_t call, TestFiles::Crash how) {
  SCOPED_TRACE(fmt::format("crash at call {} ({})", call, static_cast<int>(how)));
  LogBed bed;
  Caller caller(bed);
  bed.files.fail(call, 1'000'000'000);
  for (const auto& step : script())
    if (!step(caller, bed) || bed.files.failed()) break;
  caller.close();
  bed.files.crash(how, call);
  ASSERT_TRUE(caller.open());
  caller.check();
  ASSERT_TRUE(caller.append());
  ASSERT_TRUE(caller.open());
  caller.check();
}

class LogCrash : public testing::TestWithParam<TestFiles::Crash> {};

TEST_P(LogCrash, AtAnyCallLosesAndRepeatsNothing) {
  const std::uint64_t calls = calls_of_script();
  const std::uint64_t step = GetParam() == TestFiles::Crash::mixed ? 1 : 2;
  for (std::uint64_t call = 1; call <= calls && !HasFailure(); call += step) crash_at(call, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Kinds, LogCrash,
                         testing::Values(TestFiles::Crash::lose_all, TestFiles::Crash::keep_all,
                                         TestFiles::Crash::mixed));

class LogFailure : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LogFailure, OfCallsFromAnyOneOnIsOvercomeByRepeating) {
  const std::uint64_t calls = calls_of_script();
  for (std::uint64_t call = 1 + GetParam() % 2; call <= calls && !HasFailure(); call += GetParam() == 1 ? 2 : 6) {
    SCOPED_TRACE(fmt::format("{} calls fail from call {} on", GetParam(), call));
    LogBed bed;
    Caller caller(bed);
    bed.files.fail(call, GetParam());
    for (const auto& step : script()) {
      int left = 100;
      while (!step(caller, bed) && --left > 0) continue;
      ASSERT_GT(left, 0);
    }
    bed.files.heal();
    caller.check();
    ASSERT_TRUE(caller.open());
    caller.check();
  }
}

TEST_P(LogFailure, ThenAPowerCutLosesAndRepeatsNothing) {
  const std::uint64_t calls = calls_of_script();
  for (std::uint64_t call = 1 + GetParam() % 2; call <= calls && !HasFailure(); call += GetParam() == 1 ? 2 : 6) {
    SCOPED_TRACE(fmt::format("{} calls fail from call {} on, then the power", GetParam(), call));
    LogBed bed;
    Caller caller(bed);
    bed.files.fail(call, GetParam());
    for (const auto& step : script()) {
      const bool done = step(caller, bed);
      if (bed.files.failed() && (call % 3 != 0 || !done)) break;
    }
    caller.close();
    bed.files.crash(TestFiles::Crash::mixed, call);
    ASSERT_TRUE(caller.open());
    caller.check();
    ASSERT_TRUE(caller.append());
    caller.check();
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, LogFailure, testing::Values(1, 3, 40));

}  // namespace
}  // namespace enclave::archive
