#include "pipeline/beats_line.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

/// With the bytes behind it that a parser may touch.
class Lines {
 public:
  bool read(std::string_view json) {
    kept_ = std::string(json) + std::string(BeatParser::kPadding, '"');
    return reader_.read(std::string_view(kept_).substr(0, json.size()), parser_, line);
  }
  BeatLine line;

 private:
  std::string kept_;
  BeatParser parser_;
  BeatLineReader reader_;
};

constexpr std::string_view kEight =
    R"({"@timestamp":"2026-11-29T10:00:00.000Z","log":{"offset":17,"file":{"path":"/a\"b","inode":"9"}},)"
    R"("message":"m \" \\","agent":{"id":"i","ephemeral_id":"e"}})";

TEST(BeatLine, ReadsWhatGenerationsSay) {
  Lines lines;
  ASSERT_TRUE(lines.read(kEight));
  EXPECT_EQ(lines.line.time, "2026-11-29T10:00:00.000Z");
  EXPECT_EQ(lines.line.path, R"(/a\"b)");
  EXPECT_EQ(lines.line.inode, "9");
  EXPECT_EQ(lines.line.message, R"(m \" \\)");
  EXPECT_EQ(lines.line.sender, "i");
  EXPECT_EQ(lines.line.process, "e");
  EXPECT_EQ(lines.line.offset, 17U);
  EXPECT_FALSE(lines.line.same_origin);
  ASSERT_TRUE(lines.read(R"({"message":"", "offset" : 5 , "source":"/s","beat":{"hostname":"h","name":"n"}})"));
  EXPECT_EQ(lines.line.path, "/s");
  EXPECT_EQ(lines.line.message, "");
  EXPECT_EQ(lines.line.sender, "n");
  EXPECT_EQ(lines.line.sender_host, "h");
  EXPECT_EQ(lines.line.offset, 5U);
}

TEST(BeatLine, WhatDiffersInTimeMessageAndOffsetHasTheSameOrigin) {
  Lines lines;
  const auto event = [](std::string_view time, std::string_view message, std::string_view offset, std::string_view id) {
    return std::string(R"({"@timestamp":")").append(time) + R"(","log":{"offset":)" + std::string(offset) +
           R"(,"file":{"path":"/p"}},"message":")" + std::string(message) + R"(","agent":{"id":")" + std::string(id) +
           R"("}})";
  };
  ASSERT_TRUE(lines.read(event("t", "one", "1", "i")));
  ASSERT_TRUE(lines.read(event("later", R"(two \" and \\)", "20", "i")));
  EXPECT_TRUE(lines.line.same_origin);
  EXPECT_EQ(lines.line.message, R"(two \" and \\)");
  EXPECT_EQ(lines.line.offset, 20U);
  EXPECT_EQ(lines.line.time, "later");
  EXPECT_EQ(lines.line.path, "/p");
  ASSERT_TRUE(lines.read(event("t", "three", "300", "j")));
  EXPECT_FALSE(lines.line.same_origin);
  EXPECT_EQ(lines.line.sender, "j");
  EXPECT_FALSE(lines.read(event("t", "three", "-300", "j")));
  EXPECT_FALSE(lines.read(event("t", "three", "3.5", "j")));
  EXPECT_FALSE(lines.read(event("t", "three", "99999999999999999999999", "j")));
}

TEST(BeatLine, WhatIsNoLineOfAFileIsNone) {
  Lines lines;
  for (const std::string_view json :
       {"", "{", "[]", "7", R"("text")", "{}", R"({"message":"x"})", R"({"message":1,"offset":1,"source":"s"})",
        R"({"message":"x","offset":"1","source":"s","beat":{"name":"n"}})",
        R"({"message":"x","log":7,"agent":"Mozilla","offset":1})"})
    EXPECT_FALSE(lines.read(json)) << json;
  for (std::size_t bytes = 0; bytes + 1 < kEight.size(); ++bytes) (void)lines.read(kEight.substr(0, bytes));
  EXPECT_TRUE(lines.read(kEight));
}

}  // namespace
}  // namespace enclave::pipeline
