#include "event/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "event/batch.h"
#include "event/document.h"

namespace enclave::event {
namespace {

class ValueTest : public testing::Test {
 protected:
  Value read(std::string_view json) {
    auto value = reader_.read(json, arena_);
    EXPECT_TRUE(value) << json << ": " << value.error().text();
    return value ? *value : Value();
  }
  std::string again(std::string_view json) {
    std::string out;
    append_json(read(json), out);
    return out;
  }
  static std::string shown(const Value& value) {
    std::string out;
    append_text(value, out);
    return out;
  }
  static std::vector<PathSegment> path(std::initializer_list<std::string> names) {
    std::vector<PathSegment> out;
    for (const auto& name : names) {
      const bool index = name.find_first_not_of("-0123456789") == std::string::npos;
      out.push_back({name, index ? std::stoi(name) : 0, index});
    }
    return out;
  }

  Arena arena_;
  JsonReader reader_;
};

TEST_F(ValueTest, JsonComesOutAsItWentIn) {
  for (const std::string_view json : {"null", "true", "-9223372036854775808", "0.5", R"("a\"b\\\u0001é")", "[]", "{}",
                                      "[1,[2,{\"a\":null}]]", R"({"b":1,"a":{"c":[true,false]},"":""})"})
    EXPECT_EQ(again(json), json);
  EXPECT_EQ(again(" { \"a\" : 1.0 } "), R"({"a":1.0})");
}

TEST_F(ValueTest, OfANameThatStandsThereTwiceTheLastCounts) {
  EXPECT_EQ(again(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
  // Large maps are checked in another way.
  std::string large = "{", wanted;
  for (int i = 0; i < 300; ++i) large += fmt::format("{}\"k{}\":{}", i == 0 ? "" : ",", i % 100, i);
  for (int i = 0; i < 100; ++i) wanted += fmt::format("{}\"k{}\":{}", i == 0 ? "{" : ",", i, 200 + i);
  EXPECT_EQ(again(large + "}"), wanted + "}");
}

TEST_F(ValueTest, WhatIsTooDeepOrTooMuchIsRefused) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(reader_.read(nested(900), arena_));
  EXPECT_EQ(reader_.read(nested(2'000), arena_).error().fault(), Fault::limit);
  std::string many = "[0";
  for (std::size_t i = 0; i < kValueFieldsMax; ++i) many += ",0";
  EXPECT_EQ(reader_.read(many + "]", arena_).error().fault(), Fault::limit);
  for (const std::string_view bad : {"", "{", "[1,]", "nul", "1 2", "{\"a\"}", "\"\xff\""})
    EXPECT_EQ(reader_.read(bad, arena_).error().fault(), Fault::corrupt) << bad;
}

TEST_F(ValueTest, TextsAreThoseThatLogstashShows) {
  EXPECT_EQ(shown(read("[1,\"b\",[2.0,null]]")), "1,b,2.0,");
  EXPECT_EQ(shown(read(R"({"a":"b"})")), R"({"a":"b"})");
  EXPECT_EQ(shown(Value::time(1'795'426'793'123'456'789)), "2026-11-23T09:39:53.123Z");
  const std::pair<double, std::string_view> reals[] = {
      {1, "1.0"},         {0.1, "0.1"}, {1e7, "1.0E7"},      {1.5e-7, "1.5E-7"}, {123456.75, "123456.75"},
      {-0.001, "-0.001"}, {0, "0.0"},   {1.25e20, "1.25E20"}};
  for (const auto& [value, text] : reals) EXPECT_EQ(shown(Value::of(value)), text);
  std::string json;
  append_json(Value::of(std::nan("")), json);
  EXPECT_EQ(json, "null");
  json.clear();
  append_json(Value::of(std::string_view("a\xff")), json);
  EXPECT_EQ(json, "\"a\xef\xbf\xbd\"");
}

TEST_F(ValueTest, ACopyIsAnotherOneAndEqual) {
  const Value value = read(R"({"a":[1,{"b":"c"}],"d":2})");
  const Value copy = copy_value(value, arena_);
  EXPECT_TRUE(value == copy);
  EXPECT_TRUE(read(R"({"d":2.0,"a":[1,{"b":"c"}]})") == value);
  copy.find("a")->append(arena_, Value::of(true));
  EXPECT_FALSE(value == copy);
}

TEST_F(ValueTest, PathsLeadIntoMapsAndLists) {
  Document event(arena_, read(R"({"a":{"b":[1,{"c":2}]},"t":"x"})"));
  EXPECT_EQ(shown(*event.find(path({"a", "b", "1", "c"}))), "2");
  EXPECT_EQ(shown(*event.find(path({"a", "b", "-2"}))), "1");
  EXPECT_EQ(event.find(path({"a", "b", "2"})), nullptr);
  EXPECT_EQ(event.find(path({"t", "b"})), nullptr);
  EXPECT_TRUE(event.set(path({"n", "m"}), Value::of(std::int64_t{5})));
  EXPECT_TRUE(event.set(path({"a", "b", "0"}), Value::of(std::int64_t{9})));
  EXPECT_FALSE(event.set(path({"t", "b", "c"}), Value()));
  EXPECT_FALSE(event.set(path({"@timestamp"}), Value::of(std::string_view("now"))));
  EXPECT_TRUE(event.erase(path({"a", "b", "1", "c"})));
  EXPECT_FALSE(event.erase(path({"nowhere"})));
  EXPECT_TRUE(event.set(path({"@metadata", "x"}), Value::of(true)));
  std::string json;
  append_json(event, json);
  EXPECT_EQ(json, R"({"a":{"b":[9,{}]},"t":"x","n":{"m":5}})");
}

TEST_F(ValueTest, TagsAreAListWithoutRepetition) {
  Document event(arena_);
  event.tag("a");
  event.tag("a");
  event.tag("b");
  EXPECT_EQ(shown(*event.find("tags")), "a,b");
  event.untag("a");
  EXPECT_TRUE(event.has_tag("b"));
  EXPECT_FALSE(event.has_tag("a"));
  event.set("tags", Value::of(std::string_view("one")));
  event.tag("two");
  EXPECT_EQ(shown(*event.find("tags")), "one,two");
}

TEST(Map, FindsSetsAndErasesAsAnyMapDoes) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Arena arena;
    const Value map = Value::map(arena, random() % 3);
    std::map<std::string, std::int64_t> model;
    std::vector<std::string> order;
    for (int step = 0; step < 400; ++step) {
      // Names of few letters: many have the same length, ends and middle.
      std::string name(random() % 6, 'a');
      for (char& c : name) c = static_cast<char>('a' + random() % 3);
      const Value* const known = map.find(name);
      ASSERT_EQ(known != nullptr, model.contains(name)) << name;
      if (known != nullptr) {
        ASSERT_EQ(known->integer(), model[name]);
      }
      if (random() % 3 == 0) {
        ASSERT_EQ(map.erase(name), model.erase(name) > 0);
        std::erase(order, name);
      } else {
        map.set(arena, arena.store(name), Value::of(std::int64_t{step}));
        if (!model.contains(name)) order.push_back(name);
        model[name] = step;
      }
      ASSERT_EQ(map.members().size(), model.size());
      for (std::size_t i = 0; i < order.size(); ++i) ASSERT_EQ(map.members()[i].name, order[i]);
    }
  }
}

TEST(JsonReader, ReadsPaddedTextsWithoutACopy) {
  Batch batch;
  Arena arena;
  JsonReader reader;
  for (const std::string_view json : {R"({"a":[1,"\u00e4",{"b":null}],"a b":"x"})", "{}", R"({"a":1,"a":2})"}) {
    const std::string_view padded = batch.store_padded(json);
    ASSERT_EQ(padded, json);
    (void)batch.store_padded("}}}}\"\"[[[");  // what stands behind it does not matter
    const auto value = reader.read_padded(padded, arena), copied = reader.read(json, arena);
    ASSERT_TRUE(value && copied);
    EXPECT_EQ(*value, *copied);
  }
  EXPECT_FALSE(reader.read_padded(batch.store_padded("{\"a\":"), arena));
}

}  // namespace
}  // namespace enclave::event
