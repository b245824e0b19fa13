#include "archive/leaf.h"

#include <gmock/gmock.h>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

using testing::HasSubstr;

const std::string kZeros(64, '0');

// One canonical text per kind.
const std::string kBatch =
    "enclave-leaf/v1\n"
    "origin ec528/vm-1/g1\n"
    "index 9223372036854775807\n"
    "kind batch\n"
    "seq 48-9223372036854775807\n"
    "boot 2c3f0a9e-1111-4222-8333-444455556666 81234567890\n"
    "time 2026-11-23T09:26:33.123456789Z 2026-11-23T09:26:34.000000000Z\n"
    "root " +
    kZeros +
    "\n"
    "object v1/ec528/vm-1/g1/b/00000000000000000007.ndjson.zst.age 1234 " +
    std::string(64, 'a') +
    "\n"
    "src file:/var/log/auth.log@1f3a9c02 0..5310 count=40 lost=0\n"
    "src journal:abc -..s=1;i=2 count=3 lost=7\n";
const std::string kPositions =
    "enclave-leaf/v1\norigin o/i/g1\nindex 3\nkind batch\nboot ab 1\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\nsrc a -..4 count=0 lost=0\n";
const std::string kHeartbeat =
    "enclave-leaf/v1\norigin o/i/g1\nindex 0\nkind heartbeat\nboot ab 1\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\n";
const std::string kKey =
    "enclave-leaf/v1\norigin o/i/g1\nindex 0\nkind key\nboot ab 1\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\n"
    "key o/i/g1+00000000+AQ==\n"
    "signed o/i/g1+00000000+AQ== " +
    to_base64(std::string(64, 's')) +
    "\n"
    "signed o/i/g1+00000001+AQ== " +
    to_base64(std::string(64, 't')) + "\n";
const std::string kGap =
    "enclave-leaf/v1\norigin o/i/g1\nindex 0\nkind gap\nseq 3-4\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\nreason two words\n";
const std::string kFork =
    "enclave-leaf/v1\norigin o/i/g2\nindex 1\nkind fork\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\nprevious o/i/g1 17 " +
    kZeros + "\nreason two histories\n";
const std::string kExpire =
    "enclave-leaf/v1\norigin o/i/g1\nindex 1\nkind expire\n"
    "time 1970-01-01T00:00:00.000000000Z 1970-01-01T00:00:00.000000000Z\nobject k 1 " +
    kZeros + "\nreason older than 365d\n";

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

TEST(Leaf, EveryKindGoesToTextAndBack) {
  for (const auto& text : {kBatch, kPositions, kHeartbeat, kKey, kGap, kFork, kExpire}) {
    const auto leaf = parse_leaf(text);
    ASSERT_TRUE(leaf) << leaf.error().text() << "\n" << text;
    EXPECT_EQ(format_leaf(*leaf), text);
    EXPECT_EQ(parse_leaf(format_leaf(*leaf)).value(), *leaf);
  }
}

TEST(Leaf, FieldsAreRead) {
  const Leaf leaf = parse_leaf(kBatch).value();
  EXPECT_EQ(leaf.origin, "ec528/vm-1/g1");
  EXPECT_EQ(leaf.index, (1ULL << 63) - 1);
  EXPECT_EQ(leaf.seq->first, 48U);
  EXPECT_EQ(leaf.boot_ns, 81234567890);
  EXPECT_EQ(leaf.time_last_ns - leaf.time_first_ns, 876543211);
  EXPECT_EQ(leaf.object->bytes, 1234U);
  EXPECT_EQ(leaf.sources[1], (LeafSource{"journal:abc", "", "s=1;i=2", 3, 7}));
  EXPECT_EQ(parse_leaf(kKey)->signatures[1].signature, std::string(64, 't'));
  EXPECT_EQ(parse_leaf(kFork)->previous, "o/i/g1 17 " + kZeros);
}

TEST(Leaf, SignaturesCoverAllBeforeThem) {
  EXPECT_EQ(signed_part_of(parse_leaf(kKey).value()), kKey.substr(0, kKey.find("signed ")));
}

struct Deviation {
  std::string text;
  int line;
};

std::vector<Deviation> deviations() {
  return {
      {"", 1},
      {"enclave-leaf/v2\n", 1},
      {"enclave-leaf/v1", 2},
      {replaced(kBatch, "enclave-leaf/v1\n", "enclave-leaf/v1\r\n"), 1},
      {replaced(kBatch, "origin ec528/vm-1/g1", "origin"), 2},
      {replaced(kBatch, "origin ec528/vm-1/g1", "origin "), 4},
      {replaced(kBatch, "origin ec", "Origin ec"), 2},
      {replaced(kBatch, "index 9", "index 09"), 3},
      {replaced(kBatch, "index 9223372036854775807", "index 9223372036854775808"), 3},
      {replaced(kBatch, "index 9", "index  9"), 3},
      {replaced(kBatch, "index 9", "index +9"), 3},
      {replaced(kBatch, "kind batch", "kind Batch"), 4},
      {replaced(kBatch, "kind batch", "kind batch "), 4},
      {replaced(kBatch, "seq 48-", "seq 048-"), 5},
      {replaced(kBatch, "seq 48-", "seq 48--"), 5},
      {replaced(kBatch, "seq 48-", "seq 48 -"), 5},
      {replaced(kBatch, "seq 48-9223372036854775807", "seq 48-47"), 4},
      {replaced(kBatch, "seq 48-", "seq 0-"), 4},
      {replaced(kBatch, "boot 2c", "boot 2C"), 6},
      {replaced(kBatch, "boot 2c", "boot  2c"), 6},
      {replaced(kBatch, "81234567890", "-1"), 6},
      {replaced(kBatch, "33.123456789Z", "33.12345678Z"), 7},
      {replaced(kBatch, "33.123456789Z", "33.123456789+00:00"), 7},
      {replaced(kBatch, "33.123456789Z", "33.123456789z"), 7},
      {replaced(kBatch, "time ", "tim "), 7},
      {replaced(kBatch, "root 0", "root 00"), 8},
      {replaced(kBatch, "root 0", "root A"), 8},
      {replaced(kBatch, "root " + kZeros + "\n", ""), 4},
      {replaced(kBatch, "root " + kZeros + "\n", "root " + kZeros + "\nroot " + kZeros + "\n"), 9},
      {replaced(kBatch, " 1234 aa", " 01234 aa"), 9},
      {replaced(kBatch, " 1234 aa", " 1234 aA"), 9},
      {replaced(kBatch, " 1234 aa", " 1234  aa"), 9},
      {replaced(kBatch, "0..5310", "0.5310"), 10},
      {replaced(kBatch, "0..5310", "0...5310"), 4},
      {replaced(kBatch, "0..5310", "0..1..2"), 4},
      {replaced(kBatch, "0..5310", "..5310"), 10},
      {replaced(kBatch, "count=40", "count=040"), 10},
      {replaced(kBatch, "count=40 lost=0", "lost=0 count=40"), 10},
      {replaced(kBatch, "lost=7\n", "lost=7"), 11},
      {replaced(kBatch, "lost=7\n", "lost=7\n\n"), 12},
      {replaced(kBatch, "lost=7\n", "lost=7\nroot " + kZeros + "\n"), 12},
      {replaced(kBatch, "src journal:abc", "src journal:a\x01"), 4},
      {replaced(kBatch, "src journal:abc", "src journal:a\xff"), 4},
      {replaced(kHeartbeat, "boot ab 1\n", ""), 4},
      {replaced(kHeartbeat, "kind heartbeat\n", "kind heartbeat\nseq 1-1\n"), 4},
      {kHeartbeat + "reason x\n", 4},
      {replaced(kPositions, "src a -..4 count=0 lost=0\n", ""), 4},
      {replaced(kKey, "key o/i/g1+00000000+AQ==\n", ""), 4},
      {replaced(kKey, "key o", "key  o"), 7},
      {kKey.substr(0, kKey.find("signed")), 4},
      {replaced(kGap, "seq 3-4\n", ""), 4},
      {replaced(kGap, "reason two words\n", ""), 4},
      {replaced(kGap, "reason two", "reason \x7f"), 4},
      {replaced(kFork, " 17 ", " 017 "), 6},
      {replaced(kFork, " 17 ", "  17 "), 6},
      {replaced(kFork, "reason", "previous o/i/g1 17 " + kZeros + "\nreason"), 7},
      {replaced(kExpire, "object k 1 " + kZeros + "\n", ""), 4},
      {replaced(kGap, "two words", std::string(65'535, 'x')), 1},
  };
}

TEST(Leaf, DeviationsAreRefusedWithTheirLine) {
  for (const auto& each : deviations()) {
    const auto leaf = parse_leaf(each.text);
    ASSERT_FALSE(leaf) << each.text;
    EXPECT_EQ(leaf.error().fault(), Fault::corrupt);
    EXPECT_THAT(leaf.error().text(), HasSubstr("leaf line " + std::to_string(each.line) + ":")) << each.text;
  }
}

TEST(Leaf, NoSingleByteChangeGivesASecondFormOfTheSameLeaf) {
  for (const auto& text : {kBatch, kKey, kFork}) {
    const Leaf original = parse_leaf(text).value();
    for (std::size_t i = 0; i < text.size(); ++i)
      for (const char c : {'\n', ' ', '0', 'A', 'f', '-', '.', '\0'}) {
        std::string changed = text;
        changed[i] = c;
        const auto leaf = parse_leaf(changed);
        if (!leaf) continue;
        ASSERT_EQ(format_leaf(*leaf), changed);
        ASSERT_EQ(*leaf == original, changed == text) << changed;
      }
  }
}

TEST(Leaf, WhatCannotBeWrittenIsSaid) {
  Leaf leaf = parse_leaf(kPositions).value();
  EXPECT_TRUE(check_leaf(leaf));
  leaf.sources[0].from = "a..b";
  EXPECT_EQ(check_leaf(leaf).error().fault(), Fault::invalid);
  leaf.sources[0].from = "-";
  EXPECT_FALSE(check_leaf(leaf));
  leaf.sources[0].from = "a b";
  EXPECT_FALSE(check_leaf(leaf));
  leaf.sources[0].from = "a";
  leaf.sources[0].source = "";
  EXPECT_FALSE(check_leaf(leaf));
  EXPECT_DEATH(format_leaf(leaf), "check_leaf");
}

TEST(Leaf, SourceBoundIsNeverBelowWhatALineTakes) {
  Leaf leaf = parse_leaf(kPositions).value();
  const std::size_t before = format_leaf(leaf).size();
  const std::uint64_t most = (1ULL << 63) - 1;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"", ""}, {"", "1"}, {"12", "345"}}) {
    leaf.sources.resize(1);
    leaf.sources.push_back({"file:/x", from, to, most, most});
    EXPECT_GE(leaf_source_bytes("file:/x", from, to), format_leaf(leaf).size() - before);
  }
}

}  // namespace
}  // namespace enclave::archive
