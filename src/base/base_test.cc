#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/options.h"
#include "base/time.h"

namespace enclave {
namespace {

TEST(Encoding, HexAndBase64GiveTheBytesBack) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 37 + size));
    EXPECT_EQ(from_hex(to_hex(bytes)).value(), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
  }
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");  // RFC 4648 section 10
  EXPECT_EQ(to_base64("fooba"), "Zm9vYmE=");
}

TEST(Encoding, DecodersRefuseASecondTextForTheSameBytes) {
  for (const auto* text : {"Zg=", "Zg", "Zh==", "Zm9=", "Zg==Zg==", "Z===", " Zg=", "Zg\n="})
    EXPECT_FALSE(from_base64(text)) << text;
  for (const auto* text : {"0", "0G", "AB"}) EXPECT_FALSE(from_hex(text)) << text;
  for (const auto* text : {"", "01", "-1", "+1", "1 ", "18446744073709551616"})
    EXPECT_FALSE(parse_number(text)) << text;
  EXPECT_EQ(parse_number("18446744073709551615").value(), ~std::uint64_t{0});
}

TEST(Encoding, Utf8KnowsOverlongSurrogateAndTruncatedForms) {
  EXPECT_TRUE(is_utf8("plain ascii, longer than eight"));
  EXPECT_TRUE(is_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const auto* text : {"\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "\x80", "abcdefgh\xff", "\xc3"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Time, IsPrintedAndReadBack) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999999Z");
  const std::int64_t now = 1795426793123456789;
  EXPECT_EQ(parse_time(format_time(now)).value(), now);
  EXPECT_EQ(parse_time("2026-11-23T10:26:33+01:00").value(), parse_time("2026-11-23T09:26:33Z").value());
  for (const auto* text :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-11-23T25:00:00Z", "2026-11-23T09:26:33", "9999-01-01"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Time, DurationsAndSizesNeedAUnitThatExists) {
  EXPECT_EQ(parse_duration("365d").value(), std::chrono::hours(24 * 365));
  EXPECT_EQ(format_duration(std::chrono::seconds(90)), "90s");
  EXPECT_EQ(parse_bytes("16MiB").value().value, 16u << 20);
  for (const auto* text : {"", "1", "s", "1 yaer", "9999999999999y", "-1s"}) EXPECT_FALSE(parse_duration(text)) << text;
  for (const auto* text : {"", "MiB", "1XiB", "99999999999999999TiB"}) EXPECT_FALSE(parse_bytes(text)) << text;
}

struct Sample {
  std::string name = "none";
  std::uint64_t count = 3;
  Nanoseconds after = std::chrono::seconds(5);
  Strings paths;
};
constexpr std::string_view kNames[] = {"none", "gzip"};
constexpr Option<Sample> kSampleOptions[] = {{"name", &Sample::name, "A name.", kNames},
                                             {"count", &Sample::count, "A count."},
                                             {"flush_after", &Sample::after, "A time."},
                                             {"paths", &Sample::paths, "Paths."}};

Node scalar(std::string text, int line) { return {Node::Kind::scalar, {"a.yaml", line, 7}, std::move(text), {}, {}}; }

TEST(Options, TellEveryMistakeAtOnceWithPlaceAndMend) {
  Node map{Node::Kind::map, {"a.yaml", 1, 1}, "", {}, {}};
  map.members.push_back({"name", {"a.yaml", 1, 1}, scalar("gzpi", 1)});
  map.members.push_back({"flush_aftr", {"a.yaml", 2, 1}, scalar("5s", 2)});
  map.members.push_back({"count", {"a.yaml", 3, 1}, scalar("many", 3)});
  map.members.push_back({"paths", {"a.yaml", 4, 1}, scalar("/var/log/x", 4)});
  Sample sample;
  Diagnostics diagnostics;
  parse_options<Sample>(map, kSampleOptions, sample, "sample", diagnostics);
  EXPECT_EQ(diagnostics.text(),
            "a.yaml:1:7: name: \"gzpi\" is not one of none, gzip; did you mean \"gzip\"?\n"
            "a.yaml:2:1: \"flush_aftr\" is not a key here; did you mean \"flush_after\"?\n"
            "a.yaml:3:7: count: \"many\" is not a decimal number\n");
  EXPECT_THAT(sample.paths, testing::ElementsAre("/var/log/x"));
}

TEST(Options, DescribeThemselves) {
  const auto cards = cards_of<Sample>(kSampleOptions);
  EXPECT_EQ(cards[2].type, "duration");
  EXPECT_EQ(cards[2].fallback, "5s");
}

}  // namespace
}  // namespace enclave
