#include <gmock/gmock.h>

#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline {

extern const InputPlugin plugin_file;

namespace filebeat {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class RegistryPositions : public ::testing::Test {
 protected:
  RegistryPositions() { bench.set("paths", testing::list_node({bench.directory / "*"})); }

  std::uint64_t inode(const std::string& name) {
    return io::real_files().info(bench.directory / name).value().id.inode;
  }
  void entry(const std::string& name, std::uint64_t inode, std::uint64_t offset) {
    RegistryEntry one;
    one.source = bench.directory / name;
    one.inode = inode;
    one.device = 99;  // of another boot
    one.offset = offset;
    import.entries.push_back(one);
  }
  TakenPositions take() {
    auto taken = take_positions(io::real_files(), import);
    for (const auto& range : taken.ranges) bench.positions.states[range.source] = range.state;
    return taken;
  }

  testing::InputBench bench{plugin_file};
  RegistryImport import;
};

TEST_F(RegistryPositions, NothingIsReadTwiceAndNothingIsMissed) {
  testing::append(bench.directory / "half.log", "one\ntwo\nthree\n");
  testing::append(bench.directory / "whole.log", "done\n");
  testing::append(bench.directory / "new.log", "first\n");
  entry("half.log", inode("half.log"), 8);
  entry("whole.log", inode("whole.log"), 5);
  const auto taken = take();
  EXPECT_EQ(taken.ranges.size(), 2U);
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("three", "first"));
  testing::append(bench.directory / "whole.log", "more\n");
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("three", "first", "more"));
}

TEST_F(RegistryPositions, AFileThatWasRotatedMeanwhileGoesOnUnderItsNewName) {
  testing::append(bench.directory / "app.log", "old 1\nold 2\n");
  const auto before = inode("app.log");
  testing::rename(bench.directory / "app.log", bench.directory / "app.log.1");
  testing::append(bench.directory / "app.log", "new\n");
  entry("app.log", before, 6);
  const auto taken = take();
  EXPECT_EQ(taken.ranges.size(), 1U);
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("old 2", "new"));
}

TEST_F(RegistryPositions, AnotherFileOfTheNameAndOneThatIsShorterAreReadWhole) {
  testing::append(bench.directory / "other.log", "another\n");
  testing::append(bench.directory / "short.log", "x\n");
  entry("other.log", inode("other.log") + 100'000, 3);
  entry("short.log", inode("short.log"), 500);
  entry("gone.log", 1, 500);
  const auto taken = take();
  EXPECT_EQ(taken.changed, 2U);
  EXPECT_EQ(taken.gone, 1U);
  bench.settle();
  EXPECT_THAT(bench.lines(), UnorderedElementsAre("another", "x"));
}

TEST_F(RegistryPositions, OfTwoEntriesOfOneFileTheFartherOneCounts) {
  testing::append(bench.directory / "a.log", "one\ntwo\nthree\n");
  entry("a.log", inode("a.log"), 4);
  entry("a.log", inode("a.log"), 8);
  take();
  bench.settle();
  EXPECT_THAT(bench.lines(), ElementsAre("three"));
}

}  // namespace
}  // namespace filebeat
}  // namespace enclave::pipeline
