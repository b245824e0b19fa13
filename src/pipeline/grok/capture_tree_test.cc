#include "pipeline/grok/capture_tree.h"

#include <gtest/gtest.h>

namespace enclave::pipeline::grok {
namespace {

using event::Value;

std::vector<event::PathSegment> path(std::initializer_list<const char*> names) {
  std::vector<event::PathSegment> out;
  for (const char* name : names) out.push_back({name, 0, false});
  return out;
}

std::string json(const event::Document& event) {
  std::string out;
  append_json(event, out);
  return out;
}

TEST(CaptureTree, PutsCapturesWhereSetWould) {
  CaptureTree tree;
  const int method = tree.add(path({"http", "method"})), client = tree.add(path({"client"})),
            bytes = tree.add(path({"http", "body", "bytes"}));
  for (int round = 0; round < 2; ++round) {
    event::Arena arena;
    event::Document event(arena);
    event.set("message", Value::of(std::string_view("x")));
    ASSERT_TRUE(tree.begin(event));
    tree.put(method, Value::of(std::string_view("GET")), event);
    tree.put(client, Value::of(std::string_view("::1")), event);
    tree.put(bytes, Value::of(std::int64_t{5}), event);
    EXPECT_EQ(json(event), R"({"message":"x","http":{"method":"GET","body":{"bytes":5}},"client":"::1"})");
  }
}

TEST(CaptureTree, MakesNoMapForCapturesThatAreNotThere) {
  CaptureTree tree;
  tree.add(path({"http", "method"}));
  const int client = tree.add(path({"client"}));
  event::Arena arena;
  event::Document event(arena);
  ASSERT_TRUE(tree.begin(event));
  tree.put(client, Value::of(std::string_view("::1")), event);
  EXPECT_EQ(json(event), R"({"client":"::1"})");
}

TEST(CaptureTree, LeavesEventsAloneThatHaveOneOfItsFields) {
  CaptureTree tree;
  tree.add(path({"http", "method"}));
  event::Arena arena;
  event::Document event(arena);
  event.set("host", Value::of(std::string_view("of the same size")));
  EXPECT_TRUE(tree.begin(event));
  event.set("http", Value::of(true));
  EXPECT_FALSE(tree.begin(event));
}

TEST(CaptureTree, TakesNoPathTwiceNorOneThatCrossesAnother) {
  CaptureTree tree;
  EXPECT_NE(tree.add(path({"a", "b"})), CaptureTree::kNone);
  EXPECT_EQ(tree.add(path({"a", "b"})), CaptureTree::kNone);
  EXPECT_EQ(tree.add(path({"a"})), CaptureTree::kNone);
  EXPECT_EQ(tree.add(path({"a", "b", "c"})), CaptureTree::kNone);
  EXPECT_EQ(tree.add(path({"@timestamp"})), CaptureTree::kNone);
  EXPECT_NE(tree.add(path({"a", "c"})), CaptureTree::kNone);
}

}  // namespace
}  // namespace enclave::pipeline::grok
