#include "pipeline/flow/archive_output.h"

#include <gtest/gtest.h>

#include <atomic>

#include "io/system.h"
#include "pipeline/ledger.h"

namespace enclave::pipeline {
namespace {

class NoLetters final : public DeadLetters {
 public:
  Result<void> add(std::string_view /*plugin*/, const Refused& /*refused*/) override { return {}; }
};

class Handoff : public ::testing::Test {
 protected:
  std::unique_ptr<Output> open() {
    auto output = handoff_->output();
    EXPECT_TRUE(output->open({io::real_world(), log_, stopping_, letters_, "archive", ""}));
    return output;
  }
  static Parcel parcel(std::string_view line) {
    Parcel parcel;
    parcel.batch = std::make_unique<event::Batch>();
    event::Event event;
    event.raw = parcel.batch->store(line);
    event.source = parcel.batch->source("source", "0");
    parcel.batch->events.push_back(event);
    return parcel;
  }
  /// What the engine reads: the line, "" for nothing, "end".
  std::string read(event::Batch& batch) {
    const auto polled = input_->poll(batch, 1000);
    if (*polled == Input::Polled::end) return "end";
    return *polled == Input::Polled::idle ? "" : std::string(batch.events.front().raw);
  }

  std::unique_ptr<ArchiveHandoff> handoff_ = *ArchiveHandoff::make();
  std::unique_ptr<Input> input_ = handoff_->input();
  Ledger log_;
  NoLetters letters_;
  std::atomic<bool> stopping_{false};
};

TEST_F(Handoff, ABatchIsSafeWhenTheEngineHasCommittedIt) {
  const auto output = open();
  Parcel first = parcel("one");
  ASSERT_TRUE(output->deliver(first, 1));
  EXPECT_EQ(*output->settle(false), 0U);
  event::Batch batch;
  EXPECT_EQ(read(batch), "one");
  EXPECT_EQ(*output->settle(false), 0U);
  EXPECT_FALSE(handoff_->idle());
  input_->committed(batch);
  EXPECT_EQ(*output->settle(false), 1U);
  EXPECT_TRUE(handoff_->idle());
}

TEST_F(Handoff, TheInputStaysWhileOneFlowFollowsTheOther) {
  event::Batch batch;
  {
    const auto output = open();
    Parcel only = parcel("one");
    ASSERT_TRUE(output->deliver(only, 7));
    EXPECT_EQ(read(batch), "one");
    input_->committed(batch);
  }
  EXPECT_EQ(read(batch), "");
  const auto output = open();
  // Tickets begin anew: nothing of this one is safe yet.
  EXPECT_EQ(*output->settle(false), 0U);
  Parcel next = parcel("two");
  ASSERT_TRUE(output->deliver(next, 1));
  EXPECT_EQ(*output->settle(false), 0U);
  EXPECT_EQ(read(batch), "two");
  input_->committed(batch);
  EXPECT_EQ(*output->settle(false), 1U);
  handoff_->close();
  EXPECT_EQ(read(batch), "end");
}

}  // namespace
}  // namespace enclave::pipeline
