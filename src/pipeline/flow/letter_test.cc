#include "pipeline/flow/letter.h"

#include <gtest/gtest.h>

namespace enclave::pipeline {
namespace {

Letter some_letter(std::string event) {
  return {1'795'462'496'123'000'000,
          "http",
          "http at a.conf:3",
          "answered 422: \"no\"\n",
          "http://x/y",
          std::move(event),
          3,
          false};
}

TEST(Letter, GivesBackTheBytesThatWereRefused) {
  for (const std::string event : {R"({"a": 1.50, "b":[1e3]})", "plain text", "two\nlines", "[1, 2]", "{broken",
                                  "\"text\"", "17", "", "\xff\xfe\x00\x01", "{\"x\":\",\\\"event\\\":\"}"}) {
    const std::string line = format_letter(some_letter(event));
    ASSERT_TRUE(line.ends_with("}\n"));
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    const auto read = parse_letter(std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(read) << read.error().text() << line;
    EXPECT_EQ(*read, some_letter(event)) << line;
  }
}

TEST(Letter, KeepsDocumentsReadable) {
  EXPECT_NE(format_letter(some_letter(R"({"a": 1})")).find(R"("event":{"a": 1}})"), std::string::npos);
  EXPECT_NE(format_letter(some_letter("a")).find(R"("event":"a"})"), std::string::npos);
}

TEST(Letter, ReadsLettersThatWereWrittenOtherwise) {
  const auto read = parse_letter(
      R"({"event":{"a":{"x":1,"event":2}},"time":"2026-01-01T00:00:00Z","reason":"r","plugin":"udp","new":1})");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->event, R"({"a":{"x":1,"event":2}})");
  EXPECT_EQ(read->events, 1U);
}

TEST(Letter, RefusesWhatIsNone) {
  for (const std::string_view line :
       {"", "x", "[]", "{}", R"({"time":"2026-01-01T00:00:00Z"})", R"({"time":"no","event":1})",
        R"({"time":"2026-01-01T00:00:00Z","base64":"*","event":1})"})
    EXPECT_FALSE(parse_letter(line)) << line;
  EXPECT_EQ(parse_taken("{\"taken\":\"a-b\"}"), "a-b");
  EXPECT_EQ(parse_taken(format_letter(some_letter("{}"))), std::nullopt);
}

}  // namespace
}  // namespace enclave::pipeline
