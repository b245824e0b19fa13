#include <gmock/gmock.h>

#include <random>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_file;

namespace {

// Programs that write logs, a logrotate that treats them in every way, and an input that is polled, stopped and crashes
// in between: by seed. Every line must come out once, and in order within its source.
class RotationStory {
 public:
  explicit RotationStory(unsigned seed) : random_(seed), bench_(plugin_file), wide_(chance(2)) {
    bench_.set("paths", testing::list_node({bench_.directory / (wide_ ? "*" : "*.log")}));
    if (chance(2)) bench_.set("open_files_max", "1");
    logs_.resize(1 + pick(3));
    for (std::size_t i = 0; i < logs_.size(); ++i) logs_[i].name = "log" + std::to_string(i) + ".log";
    bench_.open();
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    for (auto& log : logs_) end_line(log);
    note("settle");
    up();
    bench_.run(80);
    bench_.finish();
    check();
  }
  const std::string& story() const { return story_; }

 private:
  struct Log {
    std::string name;
    int lines = 0;
    bool open_line = false;
    bool rotated_unseen = false;
  };

  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random_); }
  bool chance(unsigned one_in) { return pick(one_in) == 0; }
  std::string at(const std::string& name) { return bench_.directory / name; }
  void note(const std::string& text) { story_ += text + "\n"; }

  void step() {
    Log& log = logs_[pick(static_cast<unsigned>(logs_.size()))];
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return append_lines(log);
      case 4:
        return rotate(log, false);
      case 5:
        return rotate(log, true);
      case 6:
        return pack(log);
      case 7:
        return remove_oldest(log);
      case 8:
        return restart();
      case 9:
        return crash();
      default:
        return poll();
    }
  }

  void append_lines(Log& log) {
    std::string bytes;
    for (unsigned i = pick(20); i > 0; --i) {
      if (!log.open_line) bytes += log.name + " " + std::to_string(++log.lines) + " ";
      bytes += std::string(chance(8) ? pick(3000) : pick(60), 'x');
      log.open_line = chance(6);
      if (!log.open_line) bytes += "\n";
    }
    note("append " + log.name + " to line " + std::to_string(log.lines));
    testing::append(at(log.name), bytes);
  }
  void end_line(Log& log) {
    if (log.open_line) testing::append(at(log.name), "\n");
    log.open_line = false;
  }

  // What no scan ever saw under a name of the patterns cannot be known.
  void let_it_be_seen() {
    up();
    bench_.run(2);
  }

  void rotate(Log& log, bool copy) {
    if (!std::filesystem::exists(at(log.name))) return;
    end_line(log);
    // Of a file whose bytes nobody saw, a copy, packed or not, under a name that no pattern covers cannot be known.
    testing::append(at(log.name), log.name + " " + std::to_string(++log.lines) + " seen\n");
    let_it_be_seen();
    if (chance(2)) append_lines(log), end_line(log);
    if (chance(3)) bench_.close();
    note((copy ? "copytruncate " : "rotate ") + log.name);
    for (int i = 9; i >= 1; --i)
      for (const std::string suffix : {"", ".gz"}) {
        const std::string from = log.name + "." + std::to_string(i) + suffix;
        if (std::filesystem::exists(at(from)))
          testing::rename(at(from), at(log.name + "." + std::to_string(i + 1) + suffix));
      }
    if (copy) {
      std::filesystem::copy(at(log.name), at(log.name + ".1"));
      if (wide_ && chance(2)) poll();
      testing::truncate(at(log.name));
    } else {
      testing::rename(at(log.name), at(log.name + ".1"));
    }
    // At the next rotation this one must have been noticed.
    if (chance(2)) append_lines(log), end_line(log);
  }

  void pack(Log& log) {
    for (int i = 1; i <= 10; ++i) {
      const std::string name = log.name + "." + std::to_string(i);
      if (!std::filesystem::exists(at(name)) || std::filesystem::exists(at(name + ".gz")) || chance(2)) continue;
      note("gzip " + name);
      testing::gzip(at(name));
      return;
    }
  }

  void remove_oldest(Log& log) {
    for (int i = 10; i >= 5; --i)
      for (const std::string suffix : {"", ".gz"}) {
        const std::string name = log.name + "." + std::to_string(i) + suffix;
        if (!std::filesystem::exists(at(name))) continue;
        up();
        bench_.run(15);
        note("remove " + name);
        testing::remove(at(name));
        return;
      }
  }

  void up() {
    if (!bench_.input) bench_.open();
  }
  void poll() {
    up();
    note("poll");
    bench_.clock.moved_ns += pick(3) * 700'000'000LL;
    bench_.poll(1 + pick(20'000));
  }
  void restart() {
    note("restart");
    bench_.restart();
  }
  // What was read but not committed is as if it had never been read.
  void crash() {
    up();
    note("crash");
    event::Batch lost;
    bench_.clock.moved_ns += pick(3) * 700'000'000LL;
    (void)bench_.input->poll(lost, 1 + pick(20'000));
    bench_.restart();
  }

  void check() {
    std::map<std::string, int> seen;
    std::map<std::string, int> last_in_source;
    for (const auto& event : bench_.events) {
      const auto blank = event.raw.find(' ');
      ASSERT_NE(blank, std::string::npos) << event.raw;
      const std::string id = event.raw.substr(0, event.raw.find(' ', blank + 1));
      EXPECT_EQ(++seen[id], 1) << id << " came again from " << event.source << " at " << event.offset;
      const int number = std::stoi(id.substr(blank + 1));
      EXPECT_GT(number, last_in_source[event.source]) << event.source;
      last_in_source[event.source] = number;
    }
    for (const auto& log : logs_)
      for (int i = 1; i <= log.lines; ++i) {
        const std::string id = log.name + " " + std::to_string(i);
        EXPECT_TRUE(seen.contains(id)) << id << " is missing";
      }
    EXPECT_TRUE(bench_.lost.empty());
  }

  std::mt19937 random_;
  testing::InputBench bench_;
  bool wide_;
  std::vector<Log> logs_;
  std::string story_;
};

TEST(FileInputStories, EveryLineOnceAndInOrderThroughRotationsAndCrashes) {
  // More stories: --gtest_shuffle --gtest_random_seed=N.
  const unsigned first =
      GTEST_FLAG_GET(shuffle) ? static_cast<unsigned>(::testing::UnitTest::GetInstance()->random_seed()) * 1000 : 0;
  for (unsigned seed = first + 1; seed <= first + 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RotationStory story(seed);
    story.run(60);
    if (HasFailure()) {
      std::printf("%s", story.story().c_str());
      return;
    }
  }
}

}  // namespace
}  // namespace enclave::pipeline
