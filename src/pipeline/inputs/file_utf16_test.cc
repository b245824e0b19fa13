#include <gmock/gmock.h>

#include "pipeline/input_bench.h"

namespace enclave::pipeline {
extern const InputPlugin plugin_file;

namespace {

using testing::append;
using ::testing::ElementsAre;
using testing::gzip;
using ::testing::HasSubstr;

class Utf16FileInput : public ::testing::Test {
 protected:
  Utf16FileInput() : bench(plugin_file) { bench.set("paths", testing::list_node({bench.directory / "*.log*"})); }
  std::string at(std::string_view name) { return bench.directory / name; }
  static std::string wide(std::string_view ascii, bool little) {
    std::string out;
    for (const char c : ascii) out += little ? std::string{c, '\0'} : std::string{'\0', c};
    return out;
  }
  std::vector<std::uint64_t> offsets() const {
    std::vector<std::uint64_t> all;
    for (const auto& event : bench.events) all.push_back(event.offset);
    return all;
  }

  testing::InputBench bench;
};

TEST_F(Utf16FileInput, TheMarkOfEachFileSaysWhichItIsAlsoAfterARestartInTheMiddle) {
  bench.set("encoding", "utf-16");
  append(at("a.log"), "\xFF\xFE" + wide("one\r\ntwo\nthr", true));
  append(at("b.log"), "\xFE\xFF" + wide("eins\nzwei\n", false));
  bench.run();
  EXPECT_THAT(bench.lines(), ::testing::UnorderedElementsAre("one", "two", "eins", "zwei"));
  bench.events.clear();
  bench.close();
  append(at("a.log"), wide("ee\n", true));
  append(at("b.log"), wide("drei\n", false));
  bench.run();
  EXPECT_THAT(bench.lines(), ::testing::UnorderedElementsAre("three", "drei"));
  EXPECT_THAT(offsets(), ::testing::UnorderedElementsAre(2U + 10 + 8, 2U + 10 + 10));
}

TEST_F(Utf16FileInput, AFileThatWasTruncatedMayBeOfTheOtherOrder) {
  bench.set("encoding", "utf-16");
  append(at("a.log"), "\xFF\xFE" + wide("one\n", true));
  bench.run();
  testing::truncate(at("a.log"));
  append(at("a.log"), "\xFE\xFF" + wide("2\n", false));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "2"));
}

TEST_F(Utf16FileInput, WithoutAMarkTheNameDecidesAndPackedFilesGoOn) {
  bench.set("encoding", "utf-16be");
  append(at("a.log"), wide("one\ntwo\n", false));
  bench.run();
  bench.close();
  append(at("a.log"), wide("three\n", false));
  gzip(at("a.log"));
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("one", "two", "three"));
}

TEST_F(Utf16FileInput, OtherLineEndsAreTakenAsTheyAreGiven) {
  bench.set("line_end", std::string_view("\0", 1));
  append(at("a.log"), std::string("one\n\0two\0", 9));
  bench.run();
  EXPECT_THAT(bench.lines(), ElementsAre("one\n", "two"));
}

TEST_F(Utf16FileInput, AnEncodingThatIsNoneIsSaid) {
  bench.set("encoding", "utf-17");
  Diagnostics diagnostics;
  plugin_file.check(bench.config, diagnostics);
  EXPECT_THAT(diagnostics.text(), HasSubstr("encoding: utf-17 is none of utf-16le, utf-16be, utf-16"));
}

}  // namespace
}  // namespace enclave::pipeline
