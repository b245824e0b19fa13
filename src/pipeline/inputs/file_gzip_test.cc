#include <gmock/gmock.h>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_file;

namespace {

using testing::append;
using ::testing::ElementsAre;
using testing::gzip;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class PackedFileInput : public ::testing::Test {
 protected:
  PackedFileInput() : bench(plugin_file) {}
  void follow(const std::string& pattern) { bench.set("paths", testing::list_node({bench.directory / pattern})); }
  std::string at(std::string_view name) { return bench.directory / name; }
  std::string content(const std::string& name) {
    std::ifstream file(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, std::string_view bytes) {
    std::ofstream(at(name), std::ios::binary | std::ios::trunc) << bytes;
  }

  testing::InputBench bench;
};

TEST_F(PackedFileInput, GoesOnInAFileThatWasPackedBeforeItWasReadToItsEnd) {
  follow("x.log");
  append(at("x.log"), "one\ntwo\n");
  bench.run();
  bench.close();
  append(at("x.log"), "three\nfour");
  testing::rename(at("x.log"), at("x.log.1"));
  gzip(at("x.log.1"));
  append(at("x.log"), "new\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three", "four", "new"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
  for (const auto& event : bench.events) {
    EXPECT_EQ(event.eol == event::Eol::none, event.raw == "four");
    if (event.raw == "three") {
      EXPECT_EQ(event.offset, 8U);
    }
  }
  EXPECT_THAT(bench.lost, IsEmpty());
  bench.restart();
  bench.run(80);
  EXPECT_THAT(bench.lines(), SizeIs(5));
  EXPECT_THAT(bench.positions.states, SizeIs(1)) << "what was read to its end and is asked for by no pattern goes";
}

TEST_F(PackedFileInput, GoesOnInAPackedFileUnderADatedName) {
  follow("x.log");
  append(at("x.log"), "one\n");
  bench.run();
  bench.close();
  append(at("x.log"), "two\n");
  testing::rename(at("x.log"), at("x.log-20261123"));
  gzip(at("x.log-20261123"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  EXPECT_THAT(bench.sources(), SizeIs(1));
}

TEST_F(PackedFileInput, DoesNotReadAgainWhatItReadBeforeItWasPacked) {
  follow("x.log*");
  append(at("x.log"), "one\ntwo\n");
  bench.settle();
  testing::rename(at("x.log"), at("x.log.1"));
  bench.settle();
  gzip(at("x.log.1"));
  append(at("x.log"), "three\n");
  bench.settle();
  testing::rename(at("x.log.1.gz"), at("x.log.2.gz"));
  bench.settle();
  bench.restart();
  bench.run(90);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
}

TEST_F(PackedFileInput, KnowsAFileAgainThatItOnlyHeldOpenWhenItWasPacked) {
  follow("x.log*");
  append(at("x.log.1"), "one\n");
  bench.settle();
  bench.restart();
  bench.settle();
  append(at("x.log"), "");
  append(at("x.log"), "two\n");  // compared with the older one, which is opened for that
  bench.settle();
  gzip(at("x.log.1"));
  bench.run(100);
  bench.restart();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
}

TEST_F(PackedFileInput, PrefersTheOpenHandleOfAFileThatIsBeingPacked) {
  follow("x.log*");
  append(at("x.log"), "one\n");
  bench.settle();
  append(at("x.log"), "two\n");
  gzip(at("x.log"));
  bench.settle();
  bench.run(90);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(PackedFileInput, ReadsUnknownPackedFilesThatThePatternsName) {
  follow("*.gz");
  append(at("a"), "one\r\ntwo\n");
  gzip(at("a"));
  append(at("b"), "three");
  gzip(at("b"));
  append(at("plain.gz"), "not packed at all\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three", "not packed at all"));
  bench.restart();
  bench.settle();
  EXPECT_THAT(bench.lines(), SizeIs(4));
}

TEST_F(PackedFileInput, ReadsMembersOneAfterTheOther) {
  follow("*.gz");
  append(at("a"), "one\ntw");
  gzip(at("a"));
  append(at("b"), "o\nthree\n");
  gzip(at("b"));
  const std::string both = content("a.gz") + content("b.gz") + std::string(512, '\0');
  testing::remove(at("a.gz"));
  testing::remove(at("b.gz"));
  write("c.gz", both);
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(PackedFileInput, WaitsForAPackedFileThatIsStillBeingWritten) {
  follow("*.gz");
  std::string lines;
  for (int i = 0; i < 50'000; ++i) lines += std::to_string(i * 7919LL % 99991) + "\n";
  append(at("a"), lines);
  gzip(at("a"));
  const std::string packed = content("a.gz");
  testing::remove(at("a.gz"));
  write("a.gz", packed.substr(0, packed.size() / 2));
  bench.run(20);
  const std::size_t half = bench.events.size();
  EXPECT_GT(half, 1000U);
  EXPECT_LT(half, 50'000U);
  append(at("a.gz"), packed.substr(packed.size() / 2));
  bench.settle();
  EXPECT_THAT(bench.events, SizeIs(50'000));
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(PackedFileInput, CountsWhatADamagedPackedFileCannotGive) {
  follow("*.gz");
  std::string lines;
  for (int i = 0; i < 50'000; ++i) lines += std::to_string(i * 7919LL % 99991) + "\n";
  append(at("a"), lines);
  gzip(at("a"));
  std::string packed = content("a.gz");
  packed.resize(packed.size() * 2 / 3);
  write("a.gz", packed);
  bench.run(90);
  EXPECT_GT(bench.events.size(), 1000U);
  EXPECT_LT(bench.events.size(), 50'000U);
  ASSERT_THAT(bench.lost, SizeIs(1));
  EXPECT_THAT(bench.log.troubles[at("a.gz")], HasSubstr("damaged"));
  const std::size_t before = bench.events.size();
  bench.restart();
  bench.run(90);
  EXPECT_EQ(bench.events.size(), before);
}

TEST_F(PackedFileInput, SurvivesAnyDamage) {
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += std::to_string(i * 7919LL % 99991) + "\n";
  append(at("a"), lines);
  gzip(at("a"));
  const std::string packed = content("a.gz");
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::string bad = packed;
    const unsigned at_byte = seed * 2654435761U % static_cast<unsigned>(bad.size());
    bad[at_byte] = static_cast<char>(bad[at_byte] ^ (1 << seed % 8));
    testing::InputBench other(plugin_file);
    other.set("paths", testing::list_node({other.directory / "*.gz"}));
    std::ofstream(other.directory / "a.gz", std::ios::binary) << bad;
    other.run(75);
    EXPECT_LE(other.events.size(), 6000U);
  }
}

TEST_F(PackedFileInput, LeavesPackedFilesAloneWhenToldTo) {
  follow("*");
  bench.set("gzip", "no");
  append(at("a"), "one\n");
  gzip(at("a"));
  append(at("b"), "two\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("two"));
}

TEST_F(PackedFileInput, FindsTheRestOfATruncatedFileInItsPackedCopy) {
  follow("x.log");
  append(at("x.log"), "one\n");
  bench.run();
  append(at("x.log"), "two\n");
  std::filesystem::copy(at("x.log"), at("x.log.1"));
  testing::truncate(at("x.log"));
  gzip(at("x.log.1"));
  append(at("x.log"), "new\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "new"));
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(PackedFileInput, CutsLongLinesOfPackedFilesAsOfPlainOnes) {
  follow("*.gz");
  bench.set("max_bytes", "100KiB");
  const std::string line(5 << 20, 'z');
  append(at("a"), "one\n" + line + "\r\n" + std::string(200'000, 'y') + "\nlast");
  gzip(at("a"));
  bench.run(1, 100'000);
  ASSERT_THAT(bench.events, SizeIs(4));
  EXPECT_EQ(bench.events[1].raw, line.substr(0, 100 << 10));
  EXPECT_EQ(bench.events[1].cut_bytes, line.size() - (100U << 10));
  EXPECT_EQ(bench.events[1].eol, event::Eol::crlf);
  EXPECT_EQ(bench.events[2].raw, std::string(100 << 10, 'y'));
  EXPECT_EQ(bench.events[3].raw, "last");
  EXPECT_EQ(bench.events[3].offset, 4 + line.size() + 2 + 200'001);
}

}  // namespace
}  // namespace enclave::pipeline
