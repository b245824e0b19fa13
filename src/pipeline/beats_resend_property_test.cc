#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "pipeline/beats_bench.h"

/// A sender and a receiver that fail at random moments, by seed: no line is lost, and none is kept twice but those that
/// the receiver says it was not sure of.
namespace enclave::pipeline {
namespace {

using testing::BeatEvent;
using testing::BeatPeer;
using testing::lumberjack_window;

struct Conduct {
  int generation = 8;
  bool inodes = false;
  std::size_t headers = 0;  ///< first lines that are the same in each file
};

/// One file, from its first line to its last; rotation begins another one under the same path.
struct Content {
  std::string path, inode;
  std::vector<std::string> lines;
  std::vector<std::uint64_t> offsets;
  std::uint64_t bytes = 0;
  std::size_t read = 0, acked = 0, saved = 0;
};

class Shipper {
 public:
  Shipper(std::uint32_t seed, const Conduct& world) : random_(seed), world_(world), seed_(seed) {
    for (int i = 0; i < 3; ++i) rotate(static_cast<std::size_t>(i), fmt::format("/log/{}", i));
  }

  void step(testing::BeatReceiver& receiver) {
    ++millisecond_;
    receiver.bench.clock.moved_ns += 10'000'000;
    switch (below(20)) {
      case 0:
        lose_connection();
        break;
      case 1:
        if (below(3) == 0) crash();
        break;
      case 2:
        if (below(3) == 0) receiver.kill(), lose_connection();
        break;
      case 3:
        if (below(2) == 0) rotate(below(paths_.size()), "");
        break;
      case 4:
        save();
        break;
      case 5:
      case 6:
        receiver.commit(1);
        break;
      case 7:
      case 8:
      case 9:
        receiver.read(1);
        break;
      case 10:
      case 11:
        hear();
        break;
      default:
        write(below(30));
        send(receiver);
    }
  }
  /// Until all is acknowledged.
  void settle(testing::BeatReceiver& receiver) {
    for (int i = 0; i < 10'000 && !done(); ++i) {
      ++millisecond_;
      send(receiver);
      receiver.run();
      hear();
      if (!outstanding_.empty()) ::usleep(200);
    }
    ASSERT_TRUE(done()) << "seed " << seed_;
  }
  const std::vector<std::unique_ptr<Content>>& contents() const { return contents_; }

 private:
  struct Sent {
    Content* content;
    std::size_t line;
    BeatEvent event;
  };
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool done() const {
    return outstanding_.empty() &&
           std::ranges::all_of(contents_, [](const auto& one) { return one->read == one->lines.size(); });
  }
  void add_line(Content& content, std::string text) {
    content.offsets.push_back(content.bytes);
    content.bytes += text.size() + 1;
    content.lines.push_back(std::move(text));
  }
  void rotate(std::size_t path, const std::string& name) {
    if (!name.empty()) paths_.push_back(name);
    auto& content = *contents_.emplace_back(std::make_unique<Content>());
    current_[path] = &content;
    content.path = paths_[path];
    if (world_.inodes) content.inode = std::to_string(contents_.size());
    for (std::size_t i = 0; i < world_.headers; ++i) add_line(content, fmt::format("# header {}", i));
    if (world_.headers > 0 && below(2) == 0) return;
    for (std::size_t i = below(25) + 1; i > 0; --i) write_to(content);
  }
  void write_to(Content& content) {
    add_line(content, fmt::format("line {} of {} {}", content.lines.size(), contents_.size() * 1000 + below(1000),
                                  std::string(below(40), 'x')));
  }
  void write(std::size_t count) {
    for (Content& content = *current_.at(below(paths_.size())); count > 0; --count) write_to(content);
  }

  void send(testing::BeatReceiver& receiver) {
    if (peer_ == nullptr) {
      peer_ = std::make_unique<BeatPeer>(receiver.port);
      sent_ = 0;
    }
    // What was not acknowledged comes first, as it was.
    if (sent_ == outstanding_.size()) {
      if (outstanding_.size() >= 3) return;
      auto window = make_window();
      if (window.empty()) return;
      outstanding_.push_back(std::move(window));
    }
    std::vector<std::string> events;
    for (Sent& one : outstanding_[sent_]) {
      one.event.turned = below(2) == 0;
      events.push_back(one.event.json());
    }
    ++sent_;
    std::string bytes = lumberjack_window(events);
    const bool breaks = below(12) == 0;
    if (breaks) bytes.resize(below(bytes.size()));
    peer_->send(bytes);
    if (breaks) receiver.read(2), lose_connection();
  }

  std::vector<Sent> make_window() {
    std::vector<Sent> window;
    for (std::size_t left = 1 + below(60), tries = 0; left > 0 && tries < 40; ++tries) {
      Content& content = *contents_[contents_.size() - 1 - below(std::min<std::size_t>(contents_.size(), 8))];
      // The oldest ones must be read too.
      Content& old = *contents_[below(contents_.size())];
      for (Content* one : {&content, &old}) {
        // Whoever does not tell files of one name apart reads one after the other.
        if (!world_.inodes && first_unread(one->path) != one) continue;
        for (std::size_t some = 1 + below(20); some > 0 && left > 0 && one->read < one->lines.size(); --some, --left) {
          BeatEvent event;
          event.generation = world_.generation;
          event.process = fmt::format("process-{}", process_);
          event.path = one->path;
          event.inode = one->inode;
          event.offset = one->offsets[one->read];
          event.message = one->lines[one->read];
          event.millisecond = millisecond_;
          window.push_back({one, one->read++, event});
        }
      }
    }
    return window;
  }

  Content* first_unread(const std::string& path) {
    const auto found = std::ranges::find_if(
        contents_, [&](const auto& one) { return one->path == path && one->read < one->lines.size(); });
    return found == contents_.end() ? nullptr : found->get();
  }

  void hear() {
    if (peer_ == nullptr) return;
    for (std::size_t i = peer_->acks().size(); i > 0 && !outstanding_.empty(); --i) {
      for (const Sent& one : outstanding_.front()) one.content->acked = std::max(one.content->acked, one.line + 1);
      outstanding_.pop_front();
      --sent_;
    }
  }
  void lose_connection() {
    peer_.reset();
    sent_ = 0;
  }
  void save() {
    for (auto& content : contents_) content->saved = content->acked;
  }
  void crash() {
    lose_connection();
    outstanding_.clear();
    ++process_;
    for (auto& content : contents_) content->read = content->acked = content->saved;
  }

  std::mt19937 random_;
  const Conduct world_;
  const std::uint32_t seed_;
  std::vector<std::string> paths_;
  std::map<std::size_t, Content*> current_;
  std::vector<std::unique_ptr<Content>> contents_;
  std::deque<std::vector<Sent>> outstanding_;
  std::unique_ptr<BeatPeer> peer_;
  std::size_t sent_ = 0;  ///< of outstanding_, over this connection
  int process_ = 1, millisecond_ = 0;
};

void run_world(std::uint32_t seed, const Conduct& world) {
  SCOPED_TRACE(
      fmt::format("seed {} generation {} inodes {} headers {}", seed, world.generation, world.inodes, world.headers));
  testing::BeatReceiver receiver;
  Shipper shipper(seed, world);
  for (int i = 0; i < 600; ++i) shipper.step(receiver);
  shipper.settle(receiver);
  std::map<std::string, std::int64_t> counts;
  for (const auto& text : receiver.messages()) ++counts[text];
  std::map<std::string, std::int64_t> wanted;
  for (const auto& content : shipper.contents())
    for (const auto& line : content->lines) ++wanted[line];
  std::int64_t too_often = 0;
  for (const auto& [text, count] : wanted) {
    EXPECT_GE(counts[text], count) << "lost: " << text;
    too_often += counts[text] - count;
  }
  EXPECT_EQ(counts.size(), wanted.size());
  // Whoever does not tell files of one name apart may repeat itself where nobody can know it.
  if (world.inodes) {
    EXPECT_LE(too_often, receiver.counter("events_unsure"));
    EXPECT_LT(too_often, static_cast<std::int64_t>(wanted.size()) / 100);
  }
  EXPECT_LT(too_often, static_cast<std::int64_t>(wanted.size()) / 5);
  EXPECT_GT(receiver.counter("events_resent"), 0);
}

class BeatsResendProperty : public ::testing::TestWithParam<int> {};

TEST_P(BeatsResendProperty, NoLineIsLostAndNoneIsKeptTwice) {
  const auto seed = static_cast<std::uint32_t>(GetParam());
  run_world(seed, {.generation = 8, .inodes = true});
  run_world(seed, {.generation = 8});
  run_world(seed, {.generation = 6});
}

TEST_P(BeatsResendProperty, NorWhenFilesBeginWithTheSameLines) {
  const auto seed = static_cast<std::uint32_t>(GetParam());
  run_world(seed, {.generation = 8, .inodes = true, .headers = 3});
  run_world(seed, {.generation = 8, .headers = 3});
  run_world(seed, {.generation = 6, .headers = 3});
}

INSTANTIATE_TEST_SUITE_P(Seeds, BeatsResendProperty, ::testing::Range(1, 9));

}  // namespace
}  // namespace enclave::pipeline
