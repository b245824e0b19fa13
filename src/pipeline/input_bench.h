#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/system.h"
#include "pipeline/input.h"

/// What tests of inputs need: a directory of their own, a clock that they move, and an engine's bookkeeping.
namespace enclave::pipeline::testing {

class TestClock : public Clock {
 public:
  /// That of the files, whose times nobody moves.
  std::int64_t wall_ns() override { return io::real_clock().wall_ns(); }
  std::int64_t boot_ns() override { return start_ns + moved_ns; }
  std::int64_t start_ns = io::real_clock().boot_ns();
  std::int64_t moved_ns = 0;
};

class TestPositions : public Positions {
 public:
  std::optional<std::string> find(std::string_view source) const override {
    const auto found = states.find(source);
    return found == states.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::pair<std::string, std::string>> all(std::string_view prefix) const override {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& [source, state] : states)
      if (source.starts_with(prefix)) found.emplace_back(source, state);
    return found;
  }
  std::map<std::string, std::string, std::less<>> states;
};

class TestLog : public InputLog {
 public:
  void trouble(std::string_view subject, std::string_view text) override {
    troubles[std::string(subject)] = text;
    ++told[std::string(subject)];
  }
  void resolved(std::string_view subject) override { troubles.erase(std::string(subject)); }
  void count(std::string_view name, std::int64_t by) override { counters[std::string(name)] += by; }
  std::map<std::string, std::string> troubles;
  std::map<std::string, int> told;
  std::map<std::string, std::int64_t> counters;
};

struct SeenEvent {
  std::string source;
  std::string raw;
  std::uint64_t offset = 0;
  std::uint64_t cut_bytes = 0;
  event::Eol eol = event::Eol::lf;
  std::string fields;
  std::string position;
  std::string original() const { return raw + (eol == event::Eol::lf ? "\n" : eol == event::Eol::crlf ? "\r\n" : ""); }
};

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "enclave-input-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void append(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::app | std::ios::binary) << bytes;
}
inline void truncate(const std::string& path) { std::ofstream(path, std::ios::trunc); }
inline void rename(const std::string& from, const std::string& to) { std::filesystem::rename(from, to); }
inline void remove(const std::string& path) { std::filesystem::remove(path); }
/// As logrotate does it: packed beside the original, which goes last.
inline void gzip(const std::string& path) { ASSERT_EQ(std::system(("gzip '" + path + "'").c_str()), 0); }

inline Node text_node(std::string_view text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.scalar = text;
  return node;
}
inline Node list_node(const std::vector<std::string>& texts) {
  Node node;
  node.kind = Node::Kind::list;
  for (const auto& text : texts) node.items.push_back(text_node(text));
  return node;
}

/// Runs one input as the engine would: what it gives out is checked and committed at once.
class InputBench {
 public:
  explicit InputBench(const InputPlugin& plugin) : plugin_(plugin) { config.kind = Node::Kind::map; }

  void set(const std::string& key, Node value) { config.members.push_back({key, {}, std::move(value)}); }
  void set(const std::string& key, std::string_view text) { set(key, text_node(text)); }

  void open() {
    Diagnostics diagnostics;
    plugin_.check(config, diagnostics);
    ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.text();
    auto opened = plugin_.open({config, {clock, files(), io::real_random()}, positions, log});
    ASSERT_TRUE(opened) << opened.error().text();
    input = std::move(*opened);
  }
  void close() {
    input.reset();
    to_.clear();
  }
  void restart() {
    close();
    open();
  }
  /// One call. The batch's events are kept, its positions committed.
  Input::Polled poll(std::size_t budget = 1 << 20) {
    event::Batch batch;
    auto polled = input->poll(batch, budget);
    EXPECT_TRUE(polled) << polled.error().text();
    take(batch);
    return polled ? *polled : Input::Polled::end;
  }
  /// As the engine would over the next `seconds` without any change: until nothing is left to read.
  void run(int seconds = 0, std::size_t budget = 1 << 20) {
    if (!input) open();
    for (int second = 0; second <= seconds; ++second) {
      if (second > 0) clock.moved_ns += 1'000'000'000;
      for (int i = 0; poll(budget) == Input::Polled::more; ++i) ASSERT_LT(i, 1'000'000) << "never idle";
    }
  }
  /// Until the next scan has seen everything.
  void settle() { run(11); }
  void finish(std::size_t budget = 1 << 20) {
    for (int i = 0;; ++i) {
      ASSERT_LT(i, 1'000'000) << "finish() has no end";
      event::Batch batch;
      auto polled = input->finish(batch, budget);
      ASSERT_TRUE(polled) << polled.error().text();
      take(batch);
      if (*polled != Input::Polled::more) return;
    }
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> texts;
    for (const auto& event : events) texts.push_back(event.raw);
    return texts;
  }
  std::set<std::string> sources() const {
    std::set<std::string> names;
    for (const auto& event : events) names.insert(event.source);
    return names;
  }
  virtual Files& files() { return io::real_files(); }
  virtual ~InputBench() = default;

  TempDirectory directory;
  TestClock clock;
  TestPositions positions;
  TestLog log;
  Node config;
  std::unique_ptr<Input> input;
  std::vector<SeenEvent> events;
  std::map<std::string, std::uint64_t> lost;
  std::size_t arena_bytes_max = 0;

 private:
  void take(const event::Batch& batch) {
    arena_bytes_max = std::max(arena_bytes_max, batch.bytes());
    std::vector<std::uint64_t> counts(batch.sources.size());
    for (const auto& event : batch.events) {
      ASSERT_LT(event.source, batch.sources.size());
      ++counts[event.source];
      events.push_back({batch.sources[event.source].source, std::string(event.raw), event.offset, event.cut_bytes,
                        event.eol, std::string(event.fields), std::string(event.position)});
    }
    for (std::size_t i = 0; i < batch.sources.size(); ++i) {
      const auto& range = batch.sources[i];
      EXPECT_EQ(range.count, counts[i]) << range.source;
      EXPECT_EQ(range.source.find_first_of(" \t\r\n"), std::string::npos);
      if (to_.contains(range.source)) {
        EXPECT_EQ(range.from, to_[range.source]) << range.source;
      }
      to_[range.source] = range.to;
      if (range.lost > 0) lost[range.source] += range.lost;
      if (range.state.empty()) {
        positions.states.erase(range.source);
      } else {
        EXPECT_LT(range.source.size() + range.state.size(), 4096U);
        positions.states[range.source] = range.state;
      }
    }
    input->committed(batch);
  }

  const InputPlugin& plugin_;
  std::map<std::string, std::string> to_;
};

}  // namespace enclave::pipeline::testing
