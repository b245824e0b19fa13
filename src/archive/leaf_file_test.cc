#include "archive/leaf_file.h"

#include <gmock/gmock.h>

#include "archive/leaf.h"
#include "archive/test_files.h"

namespace enclave::archive {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(std::uint64_t index, std::size_t padding = 0) {
  Leaf leaf;
  leaf.origin = "o/i/g1";
  leaf.index = index;
  leaf.kind = LeafKind::gap;
  leaf.seq = {1, 2};
  leaf.reason = "r" + std::string(padding, 'x');
  return format_leaf(leaf);
}

struct Found {
  LeafScan scan;
  std::vector<std::uint64_t> offsets;
  std::vector<std::string> texts, salvaged;
};

Found scan(TestFiles& files, const std::string& path = "/d/leaves") {
  Found found;
  const auto file = files.open(path).value();
  const auto take = [&](std::uint64_t offset, std::string_view text) {
    found.offsets.push_back(offset);
    found.texts.emplace_back(text);
    return true;
  };
  const auto salvage = [&](std::uint64_t, std::string_view text) { found.salvaged.emplace_back(text); };
  found.scan = scan_leaves(*file, take, salvage).value();
  return found;
}

std::string file_of(std::initializer_list<std::string> texts) {
  std::string bytes(leaves_header());
  for (const auto& text : texts) bytes += leaf_frame(text);
  return bytes;
}

TEST(LeafFile, GivesBackWhatWasAppended) {
  TestFiles files;
  files.put("/d/leaves", std::string(leaves_header()));
  auto leaves = LeafFile::open(files, "/d/leaves", {}, leaves_header().size()).value();
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < 100; ++i) {
    texts.push_back(text_of(i, i * 600));  // beyond several windows of the scan
    ASSERT_TRUE(leaves->append(texts.back()));
  }
  EXPECT_EQ(leaves->size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(leaves->read(i).value(), texts[i]);
  const Found found = scan(files);
  EXPECT_EQ(found.scan.end, LeafScan::End::whole);
  EXPECT_EQ(found.texts, texts);
  auto again = LeafFile::open(files, "/d/leaves", found.offsets, found.scan.good_bytes).value();
  EXPECT_EQ(again->read(99).value(), texts[99]);
}

TEST(LeafFile, EveryCutOfTheTailIsTornAndNothingElse) {
  TestFiles files;
  const std::string whole = file_of({text_of(0), text_of(1)});
  const std::size_t first = file_of({text_of(0)}).size();
  for (std::size_t size = first; size <= whole.size(); ++size) {
    files.put("/d/leaves", whole.substr(0, size));
    const Found found = scan(files);
    const bool clean = size == first || size == whole.size();
    ASSERT_EQ(found.scan.end, clean ? LeafScan::End::whole : LeafScan::End::torn) << size;
    ASSERT_EQ(found.scan.good_bytes, size == whole.size() ? size : first);
  }
}

TEST(LeafFile, EveryChangedByteIsFoundAndTheLeavesBehindItAreSalvaged) {
  TestFiles files;
  const std::string whole = file_of({text_of(0), text_of(1), text_of(2)});
  const std::size_t first = file_of({text_of(0)}).size(), second = file_of({text_of(0), text_of(1)}).size();
  for (std::size_t at = first; at < second; ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    files.put("/d/leaves", changed);
    const Found found = scan(files);
    ASSERT_EQ(found.scan.end, LeafScan::End::damaged) << at;
    ASSERT_EQ(found.scan.good_bytes, first);
    ASSERT_THAT(found.texts, ElementsAre(text_of(0)));
    ASSERT_THAT(found.salvaged, ElementsAre(text_of(2)));
  }
}

TEST(LeafFile, WithoutItsHeaderAllLeavesAreSalvaged) {
  TestFiles files;
  files.put("/d/leaves", "x" + file_of({text_of(0), text_of(1)}));
  const Found found = scan(files);
  EXPECT_EQ(found.scan.end, LeafScan::End::damaged);
  EXPECT_THAT(found.texts, IsEmpty());
  EXPECT_THAT(found.salvaged, ElementsAre(text_of(0), text_of(1)));
  files.put("/d/leaves", "");
  EXPECT_EQ(scan(files).scan.end, LeafScan::End::damaged);
}

TEST(LeafFile, AFailedAppendLeavesNothingAndTheNextOneSucceeds) {
  for (std::uint64_t length = 1; length < 20; ++length) {
    TestFiles files;
    files.put("/d/leaves", file_of({text_of(0)}));
    const Found before = scan(files);
    auto leaves = LeafFile::open(files, "/d/leaves", before.offsets, before.scan.good_bytes).value();
    files.fail(1, length);
    int failures = 0;
    while (!leaves->append(text_of(1))) ASSERT_LT(++failures, 30);
    files.heal();
    EXPECT_GE(failures, 1);
    EXPECT_TRUE(leaves->clean());
    EXPECT_THAT(scan(files).texts, ElementsAre(text_of(0), text_of(1)));
    files.crash(TestFiles::Crash::lose_all, 1);
    EXPECT_THAT(scan(files).texts, ElementsAre(text_of(0), text_of(1))) << length;
  }
}

TEST(LeafFile, DoesNotGoOnInAFileThatSomebodyShortened) {
  TestFiles files;
  files.put("/d/leaves", file_of({text_of(0)}));
  const Found found = scan(files);
  EXPECT_EQ(LeafFile::open(files, "/d/leaves", found.offsets, found.scan.good_bytes + 1).error().fault(),
            Fault::corrupt);
}

}  // namespace
}  // namespace enclave::archive
