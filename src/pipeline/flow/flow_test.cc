#include "pipeline/flow/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "pipeline/flow/letter_taking.h"
#include "pipeline/flow/logstash_plan.h"
#include "pipeline/input_bench.h"
#include "pipeline/logstash/parser.h"

namespace enclave::pipeline {
namespace {

using event::Value;
using ::testing::ElementsAre;

/// What the test looks at from outside, while the flow's threads run.
struct Seen {
  std::mutex mutex;
  std::vector<std::string> delivered;       ///< by the first output
  std::vector<std::string> archived;        ///< by the last one
  std::uint64_t committed = 0;              ///< batches that the source heard of
  std::uint64_t committed_before_safe = 0;  ///< of them, too early
  std::uint64_t archived_before_safe = 0;
  std::uint64_t delivered_ticket = 0, safe_ticket = 0;
  std::string refused_end;         ///< what ends so becomes a dead letter
  std::atomic<bool> holds{false};  ///< the output keeps nothing safe for now
  std::atomic<bool> away{false};   ///< the output takes nothing
  std::atomic<bool> endless{false}, reads_again{false};
  std::atomic<int> opened{0}, finished{0};
};

/// Gives out numbered lines, `per_batch` in each batch, beginning where its position says.
class Numbers final : public Input {
 public:
  Numbers(const Positions& positions, int count, int per_batch, Seen& seen)
      : count_(count), per_batch_(per_batch), seen_(seen) {
    ++seen.opened;
    if (const auto known = positions.find("numbers")) next_ = std::stoi(*known);
  }
  Result<Polled> poll(event::Batch& batch, std::size_t /*budget*/) override {
    if (next_ >= count_) return seen_.endless ? Polled::idle : Polled::end;
    const auto source = batch.source("numbers", std::to_string(next_));
    for (int i = 0; i < per_batch_ && next_ < count_; ++i, ++next_) {
      event::Event& event = batch.events.emplace_back();
      event.raw = batch.store(std::to_string(next_));
      event.source = source;
    }
    batch.sources[source].to = batch.sources[source].state = std::to_string(next_);
    return Polled::more;
  }
  Result<Polled> finish(event::Batch& /*batch*/, std::size_t /*budget*/) override {
    ++seen_.finished;
    return Polled::end;
  }
  bool reads_again() const override { return seen_.reads_again; }
  void committed(const event::Batch& /*batch*/) override {
    const std::lock_guard lock(seen_.mutex);
    if (++seen_.committed > seen_.safe_ticket) ++seen_.committed_before_safe;
  }
  std::vector<int> descriptors() const override { return {}; }
  std::int64_t next_poll_boot_ns() const override { return 0; }

 private:
  const int count_, per_batch_;
  Seen& seen_;
  int next_ = 0;
};

class NumbersSource final : public Source {
 public:
  NumbersSource(int count, int per_batch, Seen& seen) : count_(count), per_batch_(per_batch), seen_(seen) {}
  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return std::unique_ptr<Input>(std::make_unique<Numbers>(setup.positions, count_, per_batch_, seen_));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& /*from*/, event::Document& /*into*/) const override {
  }

 private:
  const int count_, per_batch_;
  Seen& seen_;
};

class TextPacker final : public Packer {
 public:
  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& /*run*/,
            Parcel& into) override {
    for (const auto& event : events) {
      const std::size_t begin = into.bytes.size();
      into.bytes += event.find(event::kMessageField)->text();
      into.add(begin);
    }
  }
};

class Recorder final : public Output {
 public:
  Recorder(Seen& seen, bool last) : seen_(seen), last_(last) {}
  Result<void> open(const OutputSetup& setup) override {
    stopping_ = &setup.stopping;
    letters_ = &setup.dead_letters;
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<TextPacker>(); }
  bool put_back(const Refused& refused, Parcel& into) const override {
    const std::size_t begin = into.bytes.size();
    into.bytes += refused.event;
    into.add(begin);
    return true;
  }
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    while (seen_.away) {
      if (*stopping_) return Error{Fault::busy, "away"};
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const std::lock_guard lock(seen_.mutex);
    if (last_ && ticket > seen_.safe_ticket) ++seen_.archived_before_safe;
    for (const auto& piece : parcel.pieces) {
      const std::string text = parcel.bytes.substr(piece.begin, piece.end - piece.begin);
      if (!last_ && !seen_.refused_end.empty() && text.ends_with(seen_.refused_end)) {
        TRY(letters_->add("recorder", {"not this one", text}));
      } else {
        (last_ ? seen_.archived : seen_.delivered).push_back(text);
      }
    }
    ticket_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override {
    const std::lock_guard lock(seen_.mutex);
    if (!last_ && !seen_.holds) seen_.safe_ticket = ticket_;
    return last_ ? ticket_ : seen_.safe_ticket;
  }

 private:
  Seen& seen_;
  const bool last_;
  const std::atomic<bool>* stopping_ = nullptr;
  DeadLetters* letters_ = nullptr;
  std::uint64_t ticket_ = 0;
};

/// Drops multiples of `drop`, sleeps a little at random, and sends all others to each output.
class Sieve final : public Chain {
 public:
  explicit Sieve(int drop) : drop_(drop) {}
  Sent run(std::size_t /*source*/, std::vector<event::Document>& events, FilterRun& /*run*/, Routed& routed) override {
    Sent sent;
    count_.in += events.size();
    std::this_thread::sleep_for(std::chrono::microseconds(events.size() * 37 % 101));
    for (const auto& event : events) {
      const int number = std::stoi(std::string(event.find(event::kMessageField)->text()));
      if (drop_ != 0 && number % drop_ == 0) {
        ++count_.dropped;
        continue;
      }
      for (auto& list : routed) list.push_back(event);
      ++sent.out;
    }
    return sent;
  }
  std::vector<logstash::FilterCount> counts() const override { return {count_}; }

 private:
  logstash::FilterCount count_{.name = "sieve", .reason = "sieve"};
  const int drop_;
};

class FlowTest : public ::testing::Test {
 protected:
  FlowPlan plan(int count, int per_batch, bool with_last, int drop = 0) {
    FlowPlan plan;
    plan.sources.push_back({"numbers", std::make_unique<NumbersSource>(count, per_batch, seen_), {}, {}});
    plan.outputs.push_back({"out", std::make_unique<Recorder>(seen_, false), false});
    if (with_last) plan.outputs.push_back({"archive", std::make_unique<Recorder>(seen_, true), true});
    plan.chain = [drop] { return std::make_unique<Sieve>(drop); };
    plan.workers = 4;
    return plan;
  }
  std::unique_ptr<Flow> open(FlowPlan plan) {
    FlowOptions options{.world = io::real_world(), .state_directory = directory_.path() + "/state", .once = true};
    options.stop_patience = std::chrono::milliseconds(50);
    options.once_patience = std::chrono::milliseconds(200);
    auto flow = Flow::open(std::move(plan), std::move(options));
    EXPECT_TRUE(flow) << flow.error().text();
    return std::move(*flow);
  }
  static std::vector<std::string> numbers(int from, int to) {
    std::vector<std::string> all;
    for (int i = from; i < to; ++i) all.push_back(std::to_string(i));
    return all;
  }

  testing::TempDirectory directory_;
  Seen seen_;
};

TEST_F(FlowTest, EventsKeepTheirOrderWithManyWorkers) {
  const auto flow = open(plan(5'000, 7, false));
  const auto end = flow->run();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::all_delivered);
  EXPECT_EQ(seen_.delivered, numbers(0, 5'000));
  EXPECT_EQ(flow->status().events_in, 5'000U);
}

TEST_F(FlowTest, ASourceHearsOfABatchOnlyWhenEveryOutputHasItSafe) {
  seen_.holds = true;
  const auto flow = open(plan(100, 10, true));
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    const std::lock_guard lock(seen_.mutex);
    EXPECT_EQ(seen_.committed, 0U);
    EXPECT_TRUE(seen_.archived.empty());
    seen_.holds = false;
  });
  const auto end = flow->run();
  later.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::all_delivered);
  EXPECT_EQ(seen_.committed_before_safe, 0U);
  EXPECT_EQ(seen_.archived_before_safe, 0U);
  EXPECT_EQ(seen_.archived, numbers(0, 100));
}

TEST_F(FlowTest, WhatAnOutputDidNotGetIsReadAgainAtTheNextStart) {
  seen_.away = true;
  {
    const auto flow = open(plan(50, 10, false));
    const auto end = flow->run();
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, FlowEnd::rest_left);
    EXPECT_TRUE(seen_.delivered.empty());
  }
  seen_.away = false;
  const auto flow = open(plan(50, 10, false));
  ASSERT_TRUE(flow->run());
  EXPECT_EQ(seen_.delivered, numbers(0, 50));
}

TEST_F(FlowTest, NothingIsReadTwiceAfterACleanEnd) {
  ASSERT_TRUE(open(plan(30, 4, false))->run());
  ASSERT_TRUE(open(plan(40, 4, false))->run());
  EXPECT_EQ(seen_.delivered, numbers(0, 40));
}

TEST_F(FlowTest, WhatFiltersDropIsCountedAndAcknowledged) {
  const auto flow = open(plan(20, 1, false, 2));
  const auto end = flow->run();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::all_delivered);
  EXPECT_EQ(flow->status().events_dropped, 10U);
  EXPECT_EQ(seen_.delivered.size(), 10U);
  EXPECT_EQ(seen_.committed, 20U);
}

TEST_F(FlowTest, AStopEndsAFlowWhoseOutputIsAway) {
  seen_.away = true;
  const auto flow = open(plan(1'000'000, 10, false));
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    flow->stop();
  });
  const auto end = flow->run();
  later.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::rest_left);
}

/// What is looked at in between holds too: it is looked at all the time.
void expect_balance(const FlowStatus& status) {
  EXPECT_EQ(status.events_in + status.events_made,
            status.events_dropped + status.events_unrouted + status.letters_returned + status.events_out);
  std::uint64_t dropped = 0;
  for (const auto& filter : status.filters) dropped += filter.dropped;
  EXPECT_EQ(dropped, status.events_dropped);
  for (const auto& output : status.outputs)
    EXPECT_EQ(output.events, output.delivered + output.waiting + output.dead_letters + output.dead_letters_lost);
}

TEST_F(FlowTest, WhatIsReadIsDeliveredDroppedWaitingOrADeadLetterWheneverSomebodyLooks) {
  constexpr std::string_view kText = R"(
    filter {
      if [message] =~ /0$/ { drop {} }
      if [message] =~ /1$/ {
        mutate { replace => { "message" => "a,b,c" } }
        split { terminator => "," }
      }
      if [message] =~ /2$/ { clone { clones => ["copy"] } }
      if [message] =~ /3$/ { ruby { code => "event.cancel" } }
    }
    output { if [message] !~ /4$/ { null { id => "out" } } }
  )";
  Diagnostics diagnostics;
  std::vector<LogstashPipeline> pipelines(1);
  logstash::parse_config(std::string(kText), "x.conf", {}, pipelines[0].configuration, diagnostics);
  const logstash::ZoneLookup zones = [](std::string_view) -> const logstash::Timezone* { return nullptr; };
  const FilterWorld world{io::real_files(), zones};
  auto plans = plan_logstash(pipelines, world, diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.text();
  auto made = std::move(plans.at(0).flow);
  made.sources.push_back({"numbers", std::make_unique<NumbersSource>(2'000, 7, seen_), {}, {}});
  made.outputs.at(0).output = std::make_unique<Recorder>(seen_, false);
  made.workers = 4;
  seen_.refused_end = "5";
  const auto flow = open(std::move(made));
  std::atomic<bool> over{false};
  std::thread looking([&] {
    while (!over) expect_balance(flow->status());
  });
  const auto end = flow->run();
  over = true;
  looking.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::all_delivered);
  const FlowStatus status = flow->status();
  expect_balance(status);
  EXPECT_EQ(status.events_in, 2'000U);
  EXPECT_EQ(status.events_made, 800U);     // three parts of each that was split, and a copy
  EXPECT_EQ(status.events_dropped, 600U);  // drop, what was split, ruby
  EXPECT_EQ(status.events_unrouted, 200U);
  EXPECT_EQ(status.outputs.at(0).delivered, 1'800U);
  EXPECT_EQ(status.outputs.at(0).dead_letters, 200U);
  EXPECT_EQ(status.outputs.at(0).waiting, 0U);
  std::map<std::string, std::uint64_t> reasons;
  for (const auto& filter : status.filters)
    if (filter.dropped > 0) reasons[filter.reason] = filter.dropped;
  EXPECT_EQ(reasons, (std::map<std::string, std::uint64_t>{{"cancelled", 200}, {"drop", 200}, {"taken apart", 200}}));
}

TEST_F(FlowTest, WhatIsNotSafeYetWaits) {
  seen_.holds = true;
  const auto flow = open(plan(20, 5, false));
  const auto end = flow->run();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::rest_left);
  const FlowStatus status = flow->status();
  expect_balance(status);
  EXPECT_EQ(status.outputs.at(0).waiting, 20U);
  EXPECT_EQ(status.outputs.at(0).delivered, 0U);
}

TEST_F(FlowTest, ReplayedLettersGoPastTheFiltersToTheOutputThatRefusedThemOnce) {
  seen_.refused_end = "5";
  ASSERT_TRUE(open(plan(20, 5, true))->run());
  const std::string state = directory_.path() + "/state";
  const auto taken =
      take_letters(io::real_world(), state, {[](auto, const auto&) { return true; }, false, true, false});
  ASSERT_TRUE(taken) << taken.error().text();
  EXPECT_EQ(taken->letters, 2U);
  seen_.refused_end = "15";
  seen_.delivered.clear();
  seen_.archived.clear();
  // Its filters would drop all.
  const auto flow = open(plan(20, 5, true, 1));
  const auto end = flow->run();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, FlowEnd::all_delivered);
  EXPECT_THAT(seen_.delivered, ElementsAre("5"));
  EXPECT_TRUE(seen_.archived.empty());
  expect_balance(flow->status());
  EXPECT_EQ(flow->status().sources.at(1).events, 2U);
  std::vector<std::string> left;
  const auto each = [&](std::string_view, const Letter& letter) -> Result<void> {
    left.push_back(letter.output + " " + letter.event);
    return {};
  };
  ASSERT_TRUE(read_letters(io::real_files(), state, each));
  EXPECT_THAT(left, ElementsAre("out 15"));
  EXPECT_EQ(replay_bytes(io::real_files(), state), 0U);
  seen_.delivered.clear();
  ASSERT_TRUE(open(plan(20, 5, true))->run());
  EXPECT_TRUE(seen_.delivered.empty());
}

TEST_F(FlowTest, LettersOfAnOutputThatIsNoMoreAreDeadLettersAgain) {
  seen_.refused_end = "5";
  ASSERT_TRUE(open(plan(10, 5, false))->run());
  const std::string state = directory_.path() + "/state";
  ASSERT_TRUE(take_letters(io::real_world(), state, {[](auto, const auto&) { return true; }, false, true, false}));
  auto other = plan(10, 5, false);
  other.outputs[0].id = "another";
  const auto flow = open(std::move(other));
  ASSERT_TRUE(flow->run());
  expect_balance(flow->status());
  EXPECT_EQ(flow->status().letters_returned, 1U);
  std::vector<std::string> left;
  const auto each = [&](std::string_view, const Letter& letter) -> Result<void> {
    left.push_back(letter.reason + "|" + letter.event);
    return {};
  };
  ASSERT_TRUE(read_letters(io::real_files(), state, each));
  EXPECT_THAT(left, ElementsAre("out is no output now that could send it again; not this one|5"));
}

class HandOver : public FlowTest {
 protected:
  FlowPlan plan_of(int count, std::string recipe) {
    FlowPlan made = plan(count, 10, false);
    made.sources[0].recipe = std::move(recipe);
    return made;
  }
  /// Runs until `count` are delivered, or while the output is away until something waits for it, then hands over;
  /// what it leaves.
  std::unique_ptr<FlowEstate> run(FlowPlan made, std::size_t count, std::vector<std::string> kept,
                                  FlowEstate* estate = nullptr) {
    FlowOptions options{.world = io::real_world(), .state_directory = directory_.path() + "/state"};
    options.stop_patience = std::chrono::milliseconds(50);
    options.estate = estate;
    auto flow = Flow::open(std::move(made), std::move(options));
    EXPECT_TRUE(flow) << flow.error().text();
    std::thread later([&] {
      for (;;) {
        const bool waits = (*flow)->status().batches_waiting > 0;
        {
          const std::lock_guard lock(seen_.mutex);
          if (seen_.away ? waits : seen_.delivered.size() >= count) break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      (*flow)->hand_over(std::move(kept));
    });
    EXPECT_TRUE((*flow)->run());
    later.join();
    return (*flow)->estate();
  }
};

TEST_F(HandOver, AnInputOfTheSameRecipeStaysOpen) {
  seen_.endless = true;
  const auto left = run(plan_of(100, "a"), 100, {"a"});
  EXPECT_EQ(left->size(), 1U);
  EXPECT_EQ(seen_.finished, 0);
  // It goes on by itself: that another count was asked for changes nothing.
  const auto again = run(plan_of(500, "a"), 100, {"b"}, left.get());
  EXPECT_EQ(seen_.opened, 1);
  EXPECT_EQ(left->size(), 0U);
  EXPECT_EQ(again->size(), 0U);
  EXPECT_EQ(seen_.finished, 1);
  EXPECT_EQ(seen_.delivered, numbers(0, 100));
}

TEST_F(HandOver, AnInputOfAnotherRecipeIsOpenedAtThePositions) {
  seen_.endless = true;
  const auto left = run(plan_of(100, "a"), 100, {"b"});
  EXPECT_EQ(left->size(), 0U);
  (void)run(plan_of(200, "b"), 200, {}, left.get());
  EXPECT_EQ(seen_.opened, 2);
  EXPECT_EQ(seen_.delivered, numbers(0, 200));
}

TEST_F(HandOver, AnInputThatReadsAgainIsNotFinished) {
  seen_.endless = seen_.reads_again = true;
  (void)run(plan_of(100, "a"), 100, {});
  EXPECT_EQ(seen_.finished, 0);
}

TEST_F(HandOver, NothingStaysOpenWhenNotAllWasDelivered) {
  seen_.away = seen_.endless = true;
  EXPECT_EQ(run(plan_of(100, "a"), 0, {"a"})->size(), 0U);
  seen_.away = false;
  (void)run(plan_of(100, "a"), 100, {});
  EXPECT_EQ(seen_.delivered, numbers(0, 100));
}

TEST_F(HandOver, WhatFailsToOpenTakesNothingOfTheEstate) {
  seen_.endless = true;
  const auto left = run(plan_of(100, "a"), 100, {"a"});
  FlowPlan wrong = plan_of(100, "a");
  wrong.sources.push_back({"multiline", std::make_unique<NumbersSource>(1, 1, seen_), {}, {}});
  wrong.sources.back().multiline.emplace().pattern = "(";
  FlowOptions options{.world = io::real_world(), .state_directory = directory_.path() + "/state"};
  options.estate = left.get();
  EXPECT_FALSE(Flow::open(std::move(wrong), std::move(options)));
  EXPECT_EQ(left->size(), 1U);
}

TEST_F(FlowTest, PositionsOfAnotherProgramCountAtTheFirstStartOnly) {
  FlowOptions options{.world = io::real_world(), .state_directory = directory_.path() + "/state", .once = true};
  options.imported = {{"numbers", "7", "7", 0, 0, "7"}};
  auto first = Flow::open(plan(10, 2, false), options);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)->run());
  EXPECT_THAT(seen_.delivered, ElementsAre("7", "8", "9"));
  auto second = Flow::open(plan(11, 2, false), options);
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second)->run());
  EXPECT_THAT(seen_.delivered, ElementsAre("7", "8", "9", "10"));
}

}  // namespace
}  // namespace enclave::pipeline
