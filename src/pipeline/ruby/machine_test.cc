#include "pipeline/ruby/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace enclave::pipeline::ruby {
namespace {

using event::Value;
using testing::HasSubstr;

class RubyMachine : public testing::Test {
 protected:
  std::string json_of(const event::Document& event) {
    std::string out;
    event::append_json(event, out);
    return out;
  }

  event::Document event_of(std::string_view json) { return {arena_, run_.json.read(json, arena_).value()}; }

  const logstash::ZoneLookup zones_ = [](std::string_view) { return nullptr; };
  event::Arena arena_;
  FilterRun run_{.now_ns = 1'767'323'045'000'000'000};
  std::unique_ptr<Machine> machine_ = Machine::make(zones_).value();
};

TEST_F(RubyMachine, HandsOnTheEventsThatTheCodeMakes) {
  ASSERT_TRUE(
      machine_->set_code("event.get('list').each { |x| e = event.clone; e.set('one', x); e.remove('list');"
                         " new_event_block.call(e) }; event.cancel"));
  event::Document event = event_of(R"({"list":["a","b"]})");
  event.reading = 7;
  ASSERT_TRUE(machine_->apply(event, run_));
  EXPECT_TRUE(event.cancelled);
  ASSERT_EQ(run_.made.size(), 2U);
  EXPECT_EQ(json_of(run_.made[0]), R"({"one":"a"})");
  EXPECT_EQ(json_of(run_.made[1]), R"({"one":"b"})");
  EXPECT_EQ(run_.made[0].reading, 7U);
  EXPECT_EQ(json_of(event), R"({"list":["a","b"]})");
}

TEST_F(RubyMachine, MakesEventsOfHashesWithTimeAndVersion) {
  ASSERT_TRUE(machine_->set_code("new_event_block.call(LogStash::Event.new('a' => {'b' => 1}))"));
  event::Document event = event_of("{}");
  ASSERT_TRUE(machine_->apply(event, run_));
  ASSERT_EQ(run_.made.size(), 1U);
  EXPECT_EQ(json_of(run_.made[0]), R"({"a":{"b":1},"@timestamp":"2026-01-02T03:04:05.000Z","@version":"1"})");
}

TEST_F(RubyMachine, AScriptGivesTheListOfEventsThatGoOn) {
  ASSERT_TRUE(
      machine_->run("def filter(event)\n a = event.clone\n a.set('copy', true)\n"
                    " event.get('keep') ? [event, a] : [a]\nend\n",
                    "s.rb"));
  ASSERT_TRUE(machine_->set_script(Value::map(arena_)));
  event::Document kept = event_of(R"({"keep":true})"), gone = event_of("{}");
  ASSERT_TRUE(machine_->apply(kept, run_));
  EXPECT_FALSE(kept.cancelled);
  EXPECT_EQ(run_.made.size(), 1U);
  run_.made.clear();
  ASSERT_TRUE(machine_->apply(gone, run_));
  EXPECT_TRUE(gone.cancelled);
  ASSERT_EQ(run_.made.size(), 1U);
  EXPECT_EQ(json_of(run_.made[0]), R"({"copy":true})");
}

TEST_F(RubyMachine, AScriptThatReturnsSomethingElseIsAnError) {
  ASSERT_TRUE(machine_->run("def filter(event)\n nil\nend\n", "s.rb"));
  ASSERT_TRUE(machine_->set_script(Value::map(arena_)));
  event::Document event = event_of("{}");
  const auto done = machine_->apply(event, run_);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("no array of events"));
  EXPECT_FALSE(event.cancelled);
}

TEST_F(RubyMachine, SaysWhichLimitEndedIt) {
  ASSERT_TRUE(machine_->set_code("event.get('m') ? 'x' * 100_000_000 : event.get('e') ? raise('x') : loop { }"));
  event::Document memory = event_of(R"({"m":1})"), steps = event_of("{}"), mistake = event_of(R"({"e":1})");
  EXPECT_EQ(machine_->apply(memory, run_).error().fault(), Fault::limit);
  EXPECT_EQ(machine_->apply(steps, run_).error().fault(), Fault::limit);
  EXPECT_EQ(machine_->apply(mistake, run_).error().fault(), Fault::invalid);
}

TEST_F(RubyMachine, ManyEventsLeaveNoMemoryBehind) {
  ASSERT_TRUE(machine_->set_code("event.set('b', event.get('a').scan(/\\w+/).map { |x| x.upcase }.join('-'))"));
  for (int i = 0; i < 5000; ++i) {
    event::Document event = event_of(R"({"a":"one two three"})");
    ASSERT_TRUE(machine_->apply(event, run_)) << i;
    arena_.clear();
  }
}

TEST_F(RubyMachine, WhatAnEventMadeBeforeItFailedGoesOn) {
  ASSERT_TRUE(machine_->set_code("new_event_block.call(event.clone); raise 'late'"));
  event::Document event = event_of(R"({"a":1})");
  EXPECT_FALSE(machine_->apply(event, run_));
  EXPECT_EQ(run_.made.size(), 1U);
}

TEST_F(RubyMachine, HostileCodeIsRefusedOrEnds) {
  std::string deep = "x = ";
  for (int i = 0; i < 20'000; ++i) deep += "[";
  EXPECT_FALSE(machine_->run(deep, "a"));
  std::string nested = "x = ";
  for (int i = 0; i < 2'000; ++i) nested += "(1+";
  nested += "1" + std::string(2'000, ')');
  static_cast<void>(machine_->run(nested, "a"));
  EXPECT_FALSE(machine_->run("def f; f; end; f", "a"));
  EXPECT_FALSE(machine_->run("define_method(:x) { }; [1].each { |a| raise a }", "a"));
  EXPECT_FALSE(machine_->run(std::string("x = \"\0\" ; )", 12), "a"));
  EXPECT_FALSE(machine_->run("f = Fiber.new { loop { Fiber.yield } }; loop { f.resume }", "a"));
  EXPECT_TRUE(machine_->run("x = 1", "a"));
}

}  // namespace
}  // namespace enclave::pipeline::ruby
