#include "pipeline/flow/event_stamp.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Value;

const LineMarks kMarks{"qwertyuiopasdfghjklzxcvbnmqwerty", 1234567890123456789};

std::string json_of(const Document& event) {
  std::string text;
  append_json(event.root(), text);
  return text;
}

class Stamping : public testing::Test {
 protected:
  Document document(std::string_view json) {
    auto value = reader_.read(json, arena_);
    EXPECT_TRUE(value) << json;
    return {arena_, *value};
  }
  static event::Event reading(std::string_view line, std::uint64_t offset) {
    event::Event from;
    from.raw = line;
    from.offset = offset;
    return from;
  }
  event::JsonReader reader_;
  event::Arena arena_, shared_;
};

TEST_F(Stamping, PutsLineAndOffsetWhereverTheyStand) {
  const auto like = document(
      R"({"message":"qwertyuiopasdfghjklzxcvbnmqwerty","log":{"offset":1234567890123456789,"file":{"path":"/x"}},)"
      R"("event":{"original":"qwertyuiopasdfghjklzxcvbnmqwerty"},"tags":["a",["qwertyuiopasdfghjklzxcvbnmqwerty"]],)"
      R"("n":7,"none":null})");
  const auto stamp = EventStamp::make(like, kMarks, shared_);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(json_of(stamp->stamp(reading("one", 0), arena_)),
            R"({"message":"one","log":{"offset":0,"file":{"path":"/x"}},"event":{"original":"one"},)"
            R"("tags":["a",["one"]],"n":7,"none":null})");
  EXPECT_EQ(json_of(stamp->stamp(reading("", 42), arena_)),
            R"({"message":"","log":{"offset":42,"file":{"path":"/x"}},"event":{"original":""},)"
            R"("tags":["a",[""]],"n":7,"none":null})");
}

TEST_F(Stamping, WhatFiltersDoToOneEventIsNotSeenInAnother) {
  const auto stamp = EventStamp::make(
      document(R"({"message":"qwertyuiopasdfghjklzxcvbnmqwerty","host":{"name":"h"},"tags":["a"]})"), kMarks, shared_);
  ASSERT_TRUE(stamp);
  Document first = stamp->stamp(reading("one", 0), arena_);
  first.tag("b");
  const event::PathSegment path[] = {{"host", 0, false}, {"name", 0, false}};
  ASSERT_TRUE(first.set(path, Value::of(std::string_view("other"))));
  for (int i = 0; i < 40; ++i) first.set(arena_.store("f" + std::to_string(i)), Value::of(true));
  EXPECT_EQ(json_of(stamp->stamp(reading("two", 1), arena_)), R"({"message":"two","host":{"name":"h"},"tags":["a"]})");
}

TEST_F(Stamping, DoesNotNeedTheEventItWasMadeOf) {
  event::Arena gone;
  auto value = reader_.read(R"({"message":"qwertyuiopasdfghjklzxcvbnmqwerty","path":"/var/log/x"})", gone);
  const auto stamp = EventStamp::make({gone, *value}, kMarks, shared_);
  gone = event::Arena();
  ASSERT_TRUE(stamp);
  EXPECT_EQ(json_of(stamp->stamp(reading("one", 0), arena_)), R"({"message":"one","path":"/var/log/x"})");
}

TEST_F(Stamping, IsRefusedWhereAMarkIsAPartOfSomethingElse) {
  EXPECT_FALSE(EventStamp::make(document(R"({"m":"<qwertyuiopasdfghjklzxcvbnmqwerty>"})"), kMarks, shared_));
  EXPECT_FALSE(EventStamp::make(document(R"({"m":"at 1234567890123456789"})"), kMarks, shared_));
  EXPECT_FALSE(EventStamp::make(document(R"({"a":[{"qwertyuiopasdfghjklzxcvbnmqwerty":1}]})"), kMarks, shared_));
  Document cancelled = document(R"({"m":1})");
  cancelled.cancelled = true;
  EXPECT_FALSE(EventStamp::make(cancelled, kMarks, shared_));
}

}  // namespace
}  // namespace enclave::pipeline
