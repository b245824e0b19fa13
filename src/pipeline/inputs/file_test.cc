#include <gmock/gmock.h>

#include "base/encoding.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_file;

namespace {

using event::Eol;
using testing::append;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class FileInput : public ::testing::Test {
 protected:
  FileInput() : bench(plugin_file) {}
  void follow(const std::vector<std::string>& patterns) {
    std::vector<std::string> paths;
    for (const auto& pattern : patterns) paths.push_back(bench.directory / pattern);
    bench.set("paths", testing::list_node(paths));
  }
  std::string at(std::string_view name) { return bench.directory / name; }

  testing::InputBench bench;
};

TEST_F(FileInput, GivesEachLineWithItsByteOffset) {
  follow({"x.log"});
  append(at("x.log"), "one\n\nthree\n");
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "", "three"));
  EXPECT_EQ(bench.events[0].offset, 0U);
  EXPECT_EQ(bench.events[1].offset, 4U);
  EXPECT_EQ(bench.events[2].offset, 5U);
  EXPECT_TRUE(bench.events[0].source.starts_with("file:" + at("x.log") + "@"));
  append(at("x.log"), "four\n");
  bench.run(1);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "", "three", "four"));
  EXPECT_THAT(bench.sources(), SizeIs(1));
}

TEST_F(FileInput, FindsFilesThatAreNamedLaterAndInNewDirectories) {
  follow({"**/*.log"});
  append(at("a.log"), "a\n");
  bench.run();
  std::filesystem::create_directories(at("deep/er"));
  append(at("deep/er/b.log"), "b\n");
  append(at("c.log"), "c\n");
  append(at("d.txt"), "d\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(FileInput, LeavesOutWhatIsExcluded) {
  follow({"**/*.log"});
  bench.set("exclude", testing::list_node({"debug*", at("private/**")}));
  std::filesystem::create_directories(at("private"));
  append(at("a.log"), "a\n");
  append(at("debug-1.log"), "no\n");
  append(at("private/b.log"), "no\n");
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("a"));
}

TEST_F(FileInput, ResumesWhereItStoodAndRepeatsNothing) {
  follow({"x.log"});
  append(at("x.log"), "one\ntwo\nthr");
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  append(at("x.log"), "ee\nfour\n");
  bench.restart();
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(bench.sources(), SizeIs(1));
}

TEST_F(FileInput, FollowsARenamedFileAndItsSuccessor) {
  follow({"x.log"});
  append(at("x.log"), "one\n");
  bench.run();
  testing::rename(at("x.log"), at("x.log.1"));
  append(at("x.log.1"), "two\n");
  append(at("x.log"), "three\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three"));
  // The old one still gets a line; its name is none of ours any more.
  append(at("x.log.1"), "late\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three", "late"));
  ASSERT_THAT(bench.sources(), SizeIs(2));
  EXPECT_EQ(bench.events.front().source, bench.events.back().source);
  EXPECT_EQ(bench.events.back().offset, 8U);
}

TEST_F(FileInput, FindsAFileThatWasRenamedWhileItWasNotRunning) {
  follow({"x.log"});
  append(at("x.log"), "one\n");
  bench.run();
  bench.close();
  append(at("x.log"), "two\n");
  testing::rename(at("x.log"), at("x.log.1"));
  append(at("x.log"), "three\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three"));
  bench.restart();
  bench.settle();
  EXPECT_THAT(bench.lines(), SizeIs(3));
}

TEST_F(FileInput, FindsAFileThatWasRenamedBeforeAnyLineOfItWasRead) {
  follow({"x.log"});
  append(at("x.log"), "no newline yet");
  bench.run();
  bench.close();
  append(at("x.log"), ", but now\n");
  testing::rename(at("x.log"), at("x.log.1"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("no newline yet, but now"));
}

TEST_F(FileInput, DoesNotReadARenamedFileAgainWhenItsNewNameMatches) {
  follow({"x.log*"});
  append(at("x.log"), "one\n");
  bench.run();
  testing::rename(at("x.log"), at("x.log.1"));
  append(at("x.log"), "two\n");
  bench.settle();
  bench.restart();
  bench.settle();
  testing::rename(at("x.log.1"), at("x.log.2"));
  testing::rename(at("x.log"), at("x.log.1"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
}

TEST_F(FileInput, BeginsANewSourceAfterCopytruncate) {
  follow({"x.log"});
  append(at("x.log"), "one\ntwo\n");
  bench.run();
  std::filesystem::copy(at("x.log"), at("x.log.1"));
  testing::truncate(at("x.log"));
  append(at("x.log"), "new\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "new"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
  EXPECT_EQ(bench.events.back().offset, 0U);
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(FileInput, SeesATruncationEvenWhenTheFileIsLongerAgain) {
  follow({"x.log"});
  append(at("x.log"), "one\n");
  bench.run();
  testing::truncate(at("x.log"));
  append(at("x.log"), "another line that is longer\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "another line that is longer"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
}

TEST_F(FileInput, ReadsTheRestFromTheCopyOfATruncatedFile) {
  follow({"x.log"});
  append(at("x.log"), "one\n");
  bench.run();
  append(at("x.log"), "two\n");
  std::filesystem::copy(at("x.log"), at("x.log.1"));
  testing::truncate(at("x.log"));
  append(at("x.log"), "n\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "n"));
  ASSERT_THAT(bench.sources(), SizeIs(2));
  for (const auto& event : bench.events) {
    EXPECT_EQ(event.source == bench.events[0].source, event.raw != "n");
  }
}

TEST_F(FileInput, DoesNotReadTheCopyOfATruncatedFileAgainWhenItsNameMatches) {
  follow({"x.log*"});
  append(at("x.log"), "one\ntwo\n");
  bench.run();
  std::filesystem::copy(at("x.log"), at("x.log.1"));
  bench.settle();  // it looks while the copy stands beside the original
  testing::truncate(at("x.log"));
  append(at("x.log"), "new\n");
  bench.settle();
  bench.restart();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "new"));
}

TEST_F(FileInput, FindsTheCopyOfAFileThatWasTruncatedAndRemovedWhileItWasNotRunning) {
  follow({"x.log*"});
  append(at("x.log"), "one\n");
  bench.run();
  bench.close();
  append(at("x.log"), "two\n");
  std::filesystem::copy(at("x.log"), at("x.log.1"));
  testing::remove(at("x.log"));
  append(at("x.log"), "three\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two", "three"));
}

TEST_F(FileInput, DoesNotTakeANumberedLogForTheCopyOfAnotherThatBeganAlike) {
  follow({"x.log.*"});
  append(at("x.log.1"), "started\n");
  bench.run();
  bench.close();
  testing::remove(at("x.log.1"));
  append(at("x.log.2"), "started\nmore\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("started", "started", "more"));
}

TEST_F(FileInput, CountsWhatWasTruncatedAwayBeforeItWasRead) {
  follow({"x.log"});
  append(at("x.log"), "one\nhalf a line");
  bench.run();
  testing::truncate(at("x.log"));
  append(at("x.log"), "new\n");
  bench.run(90);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "new"));
  ASSERT_THAT(bench.lost, SizeIs(1));
  EXPECT_EQ(bench.lost.begin()->second, 11U);
  EXPECT_EQ(bench.log.counters["bytes_lost"], 11);
  EXPECT_EQ(bench.log.told["lost: " + at("x.log")], 1);
  EXPECT_THAT(bench.positions.states, SizeIs(1)) << "the old source must be forgotten";
}

TEST_F(FileInput, ReadsADeletedFileToItsEndThroughItsHandle) {
  follow({"x.log"});
  append(at("x.log"), "one\n");
  bench.run();
  append(at("x.log"), "two\nhalf");
  testing::remove(at("x.log"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
  bench.run(75);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "half"));
  EXPECT_EQ(bench.events.back().eol, Eol::none);
  EXPECT_THAT(bench.positions.states, IsEmpty());
  EXPECT_EQ(bench.log.counters["files_open"], 0);
  EXPECT_THAT(bench.lost, IsEmpty());
}

TEST_F(FileInput, CountsWhatWasDeletedWhileItWasNotRunning) {
  follow({"x.log"});
  append(at("x.log"), "one\nhalf");
  bench.run();
  bench.close();
  testing::remove(at("x.log"));
  bench.run(90);
  EXPECT_EQ(bench.lost.begin()->second, 4U);
  EXPECT_THAT(bench.positions.states, IsEmpty());
}

TEST_F(FileInput, TellsAReusedInodeFromTheOldFile) {
  follow({"x.log"});
  append(at("x.log"), "the old one\n");
  bench.run();
  bench.close();
  // Where the file system gives the inode again at once, birth time and first bytes still differ.
  testing::remove(at("x.log"));
  append(at("x.log"), "the new one, longer\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("the old one", "the new one, longer"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
}

TEST_F(FileInput, TellsAReusedInodeWithoutBirthTimeByTheFirstBytes) {
  follow({"x.log"});
  append(at("x.log"), "the old one\n");
  bench.run();
  bench.close();
  // The same inode number as a file system without birth times would show it.
  { std::ofstream(at("x.log"), std::ios::trunc) << "the new one, longer\n"; }
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("the old one", "the new one, longer"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
}

TEST_F(FileInput, ReadsAFileOnceThatHasSeveralPaths) {
  follow({"*.log"});
  append(at("a.log"), "one\n");
  std::filesystem::create_symlink(at("a.log"), at("b.log"));
  std::filesystem::create_hard_link(at("a.log"), at("c.log"));
  bench.settle();
  append(at("a.log"), "two\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
}

TEST_F(FileInput, FollowsASymlinkToItsNewTarget) {
  follow({"link.log"});
  append(at("t1"), "one\n");
  append(at("t2"), "two\n");
  std::filesystem::create_symlink(at("t1"), at("link.log"));
  bench.run();
  append(at("t1"), "more\n");
  bench.run(2);
  EXPECT_THAT(bench.lines(), ElementsAre("one", "more"));
  testing::remove(at("link.log"));
  std::filesystem::create_symlink(at("t2"), at("link.log"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "more", "two"));
  EXPECT_THAT(bench.sources(), SizeIs(2));
}

TEST_F(FileInput, TellsFilesApartThatBeginWithTheSameBytes) {
  follow({"*.log"});
  append(at("a.log"), "started\n");
  append(at("b.log"), "started\n");
  bench.run();
  append(at("c.log"), "s");
  bench.settle();
  append(at("c.log"), "tarted\nc\n");
  append(at("a.log"), "a\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("started", "started", "started", "a", "c"));
  EXPECT_THAT(bench.sources(), SizeIs(3));
}

TEST_F(FileInput, HoldsALastLineWithoutNewlineUntilShutdown) {
  follow({"x.log"});
  append(at("x.log"), "one\nla");
  bench.settle();
  append(at("x.log"), "st");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one"));
  bench.finish();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "last"));
  EXPECT_EQ(bench.events.back().eol, Eol::none);
  append(at("x.log"), "ing\ntwo\n");
  bench.restart();
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "last", "ing", "two"));
  EXPECT_EQ(bench.events[2].offset, 8U);
  std::string original;
  for (const auto& event : bench.events) original += event.original();
  EXPECT_EQ(original, "one\nlasting\ntwo\n");
}

TEST_F(FileInput, KeepsAnyBytesExactly) {
  const std::string bytes("nul\0\xff\xfe\r\n\r\n\r\r\nlone\rcr\n\xc3\n", 23);
  follow({"x.log"});
  append(at("x.log"), bytes);
  bench.run();
  std::string original;
  for (const auto& event : bench.events) original += event.original();
  EXPECT_EQ(original, bytes);
  EXPECT_EQ(bench.events[0].raw, std::string("nul\0\xff\xfe", 6));
  EXPECT_EQ(bench.events[0].eol, Eol::crlf);
  EXPECT_EQ(bench.events[2].raw, "\r");
}

TEST_F(FileInput, CutsAndCountsLinesThatAreTooLong) {
  follow({"x.log"});
  bench.set("max_bytes", "10");
  append(at("x.log"), "0123456789\n0123456789\r\n0123456789ab\r\n0123456789a\nok\n0123456789abcdef");
  bench.run();
  bench.finish();
  ASSERT_THAT(bench.lines(), ElementsAre("0123456789", "0123456789", "0123456789", "0123456789", "ok", "0123456789"));
  std::vector<std::uint64_t> cut;
  for (const auto& event : bench.events) cut.push_back(event.cut_bytes);
  EXPECT_THAT(cut, ElementsAre(0, 0, 2, 1, 0, 6));
  EXPECT_EQ(bench.events[2].eol, Eol::crlf);
  EXPECT_EQ(bench.log.counters["lines_cut"], 3);
}

TEST_F(FileInput, NeverHoldsMoreThanItMayOfAVeryLongLine) {
  follow({"x.log"});
  bench.set("max_bytes", "100KiB");
  bench.run();
  const std::string piece(1 << 20, 'x');
  append(at("x.log"), "begin\n");
  for (int i = 0; i < 20; ++i) {
    append(at("x.log"), piece);
    bench.run(1);
  }
  bench.restart();  // in the middle of the line
  bench.run();
  append(at("x.log"), "\r\nend\n");
  bench.run(1);
  ASSERT_THAT(bench.events, SizeIs(3));
  EXPECT_EQ(bench.events[1].raw, piece.substr(0, 100 << 10));
  EXPECT_EQ(bench.events[1].cut_bytes, (20U << 20) - (100U << 10));
  EXPECT_EQ(bench.events[1].eol, Eol::crlf);
  EXPECT_EQ(bench.events[2].raw, "end");
  EXPECT_LT(bench.arena_bytes_max, 1U << 20);
}

TEST_F(FileInput, GivesOutLongLinesWhole) {
  follow({"x.log"});
  const std::string line(3 << 20, 'y');
  append(at("x.log"), "a\n" + line + "\r");
  bench.run(0, 64 << 10);
  append(at("x.log"), "\nb\n");
  bench.run(1, 64 << 10);
  EXPECT_THAT(bench.lines(), ElementsAre("a", line, "b"));
  EXPECT_EQ(bench.events[1].eol, Eol::crlf);
  EXPECT_EQ(bench.events[1].cut_bytes, 0U);
}

TEST_F(FileInput, SaysOnceThatAFileIsMissingAndReadsItWhenItComes) {
  follow({"x.log", "dir/*.log"});
  bench.run(35);
  EXPECT_THAT(bench.log.troubles[at("x.log")], HasSubstr("is not there"));
  EXPECT_THAT(bench.log.troubles[at("dir")], HasSubstr("is not there"));
  EXPECT_EQ(bench.log.told[at("x.log")], 1);
  append(at("x.log"), "one\n");
  std::filesystem::create_directories(at("dir"));
  append(at("dir/y.log"), "two\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("one", "two"));
  bench.settle();
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(FileInput, SaysThatADirectoryOrDeviceIsNoLogFile) {
  follow({"dir"});
  std::filesystem::create_directories(at("dir"));
  bench.run();
  EXPECT_THAT(bench.log.troubles[at("dir")], HasSubstr("not a regular file"));
}

TEST_F(FileInput, CanBeginAtTheEndOfWhatIsThereAtTheVeryFirstStart) {
  follow({"*.log"});
  bench.set("from_beginning", "no");
  append(at("x.log"), "old\n");
  bench.run();
  append(at("x.log"), "new\n");
  append(at("y.log"), "all of it\n");
  bench.settle();
  bench.restart();
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("new", "all of it"));
}

TEST_F(FileInput, LeavesOldFilesAloneUntilTheyChange) {
  follow({"*.log"});
  bench.set("ignore_older", "1h");
  append(at("x.log"), "one\n");
  std::filesystem::last_write_time(at("x.log"), std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  bench.settle();
  EXPECT_THAT(bench.lines(), IsEmpty());
  append(at("x.log"), "two\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
}

TEST_F(FileInput, ReadsManyFilesFairlyWithFewHandles) {
  follow({"*.log"});
  bench.set("open_files_max", "5");
  for (int i = 0; i < 100; ++i) append(at("f" + std::to_string(i) + ".log"), "first\nsecond\n");
  bench.run(0, 100);
  EXPECT_THAT(bench.events, SizeIs(200));
  EXPECT_THAT(bench.sources(), SizeIs(100));
  EXPECT_LE(bench.log.counters["files_open"], 5);
  for (int i = 0; i < 100; ++i) append(at("f" + std::to_string(i) + ".log"), "third\n");
  bench.settle();
  EXPECT_THAT(bench.events, SizeIs(300));
  EXPECT_LE(bench.log.counters["files_open"], 5);
}

TEST_F(FileInput, DoesNotLetABigFileStarveTheOthers) {
  follow({"*.log"});
  append(at("a.log"), std::string(8 << 20, '\n'));
  append(at("b.log"), "small\n");
  bench.open();
  bench.poll(256 << 10);
  bench.poll(256 << 10);
  EXPECT_THAT(bench.sources(), SizeIs(2));
}

TEST_F(FileInput, NamesSourcesWithoutBlanksOrDoubleDots) {
  follow({"*"});
  append(at("a b%..c\xff.log"), "one\n");
  bench.run();
  EXPECT_TRUE(bench.events[0].source.starts_with("file:" + at("a%20b%25.%2Ec%FF.log") + "@")) << bench.events[0].source;
  append(at("a b%..c\xff.log"), "two\n");
  bench.restart();
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two"));
}

TEST_F(FileInput, TellsAllMistakesOfItsConfiguration) {
  Diagnostics diagnostics;
  bench.set("paths", testing::list_node({"/var/log/[a", "/a/**/b/**/c", ""}));
  bench.set("max_bytes", "1GiB");
  bench.set("exlude", "x");
  plugin_file.check(bench.config, diagnostics);
  EXPECT_EQ(diagnostics.errors(), 5U) << diagnostics.text();
  EXPECT_THAT(diagnostics.text(), HasSubstr("exclude"));
}

}  // namespace
}  // namespace enclave::pipeline
