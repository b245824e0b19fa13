#include "pipeline/file_state.h"

#include <gtest/gtest.h>

#include <random>

namespace enclave::pipeline {
namespace {

FileState example() {
  FileState state;
  state.offset = 123;
  state.id = {7, 99, -5};
  state.print = fingerprint_of("hello");
  state.seen_bytes = 200;
  state.modified_ns = -1;
  state.packed = true;
  state.crc = 0xdeadbeef;
  state.summed = true;
  state.path = "/var/log/a b%..c\xff";
  return state;
}

TEST(FileState, ComesBackAsItWasWritten) {
  const auto read = parse_state(format_state(example()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, example());
  EXPECT_EQ(*parse_state(format_state({})), FileState{});
}

TEST(FileState, IsRefusedWhenAnyByteOfItIsWrong) {
  const std::string good = format_state(example());
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (const auto read = parse_state(good.substr(0, i))) {
      EXPECT_EQ(format_state(*read), good.substr(0, i)) << "a shorter path is another state";
    }
    for (const char c : std::string_view("\0 =x1\n", 6)) {
      std::string bad = good;
      bad[i] = c;
      // Another value may be read, but never the same one from another text.
      if (const auto read = parse_state(bad)) {
        EXPECT_EQ(format_state(*read), bad);
      }
    }
  }
  EXPECT_FALSE(parse_state(good + " "));
}

TEST(FileState, FitsTheRegistryWithTheLongestPath) {
  FileState state = example();
  state.offset = state.seen_bytes = state.id.inode = state.id.device = ~0ULL;
  state.id.born_ns = state.modified_ns = INT64_MIN;
  state.path = "/" + std::string(kFilePathBytes - 1, 'p');
  EXPECT_LE(format_state(state).size(), kFileStateBytes);
  EXPECT_LE(file_source(state.path, ~0U).size() + format_state(state).size() + 2, 4096U);
  EXPECT_TRUE(file_source("/" + std::string(kFilePathBytes, 'p'), 1).empty());
  EXPECT_TRUE(file_source("/" + std::string(kFilePathBytes - 1, ' '), 1).empty()) << "escaped it is too long";
}

TEST(FileSource, HoldsItsPath) {
  for (const std::string path :
       {"/var/log/x.log", "/a b", "/tab\t", "/..", "/a...b", "/\xff", "/\xc3\xa4", "/%41", "/a@b"}) {
    const std::string source = file_source(path, 0x1f3a9c02);
    EXPECT_TRUE(source.ends_with("@1f3a9c02"));
    EXPECT_EQ(source.find(".."), std::string::npos);
    EXPECT_EQ(source.find_first_of(" \t"), std::string::npos);
    EXPECT_EQ(path_of_source(source).value_or("?"), path);
  }
  EXPECT_EQ(file_source("/var/log/\xc3\xa4.log", 1), "file:/var/log/\xc3\xa4.log@00000001");
  for (const std::string source :
       {"", "file:/x", "journal:x@00000000", "file:/x@1", "file:/%4@00000000", "file:/a b@00000000"})
    EXPECT_FALSE(path_of_source(source)) << source;
}

TEST(Fingerprint, TellsFilesApartFromTheirFirstByte) {
  const auto one = fingerprint_of("a");
  EXPECT_TRUE(fits(one, "a"));
  EXPECT_TRUE(fits(one, "abc"));
  EXPECT_FALSE(fits(one, "b"));
  EXPECT_FALSE(fits(one, ""));
  EXPECT_TRUE(fits({}, ""));
  const std::string kilobyte(kFingerprintBytes, 'k');
  EXPECT_EQ(fingerprint_of(kilobyte + "1"), fingerprint_of(kilobyte + "2"));
}

TEST(RotatedNames, AreThoseThatLogrotateMakes) {
  for (const auto* name :
       {"x.log.1", "x.log.1.gz", "x.log-20261123", "x.log-20261123.gz", "x-20261123.log.gz", "x.1.log"})
    EXPECT_TRUE(may_be_rotated("x.log", name)) << name;
  EXPECT_TRUE(may_be_rotated("x.log.1", "x.log.2.gz"));
  EXPECT_TRUE(may_be_rotated("syslog", "syslog.1"));
  for (const auto* name : {"x.log", "y.log.1", "xy.log", "x2.log"}) EXPECT_FALSE(may_be_rotated("x.log", name)) << name;
}

}  // namespace
}  // namespace enclave::pipeline
