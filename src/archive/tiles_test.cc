#include "archive/tiles.h"

#include <gmock/gmock.h>

#include <map>

namespace enclave::archive {
namespace {

using testing::ElementsAre;

std::vector<std::string> paths_between(std::uint64_t older, std::uint64_t newer) {
  std::vector<std::string> paths;
  for (const auto& tile : tiles_between(older, newer)) paths.push_back(tile_path(tile));
  return paths;
}

TEST(Tiles, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_path({false, 0, 1'234'067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({false, 3, 0, 1}), "tile/3/000.p/1");
  EXPECT_EQ(tile_path({true, 0, 1000, 255}), "tile/entries/x001/000.p/255");
  EXPECT_EQ(tile_path({true, 0, 999, 256}), "tile/entries/999");
  for (const std::uint64_t index : {0ULL, 5ULL, 999ULL, 1000ULL, 999'999ULL, 1'000'000ULL, (1ULL << 55) - 1})
    for (const unsigned width : {1U, 255U, 256U})
      for (const TileId tile :
           {TileId{false, 0, index, width}, TileId{false, 63, index, width}, TileId{true, 0, index, width}})
        EXPECT_EQ(parse_tile_path(tile_path(tile)).value(), tile);
}

TEST(Tiles, RefusesEveryOtherPath) {
  for (const char* path : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/0/x000/001",
                           "tile/0/x001",
                           "tile/0/x001/",
                           "tile/0/001/",
                           "tile/0/001/002",
                           "tile/00/001",
                           "tile/64/001",
                           "tile/-1/001",
                           "tile/0/001.p",
                           "tile/0/001.p/",
                           "tile/0/001.p/0",
                           "tile/0/001.p/256",
                           "tile/0/001.p/01",
                           "tile/0/001.p/1/",
                           "tile/0/x001.p/1/002",
                           "tile/Entries/001",
                           "tile/entries/01a",
                           "/tile/0/001",
                           "tiles/0/001",
                           "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                           "tile/0/x036/x028/x797/x018/x963/968",
                           "\xff"})
    EXPECT_FALSE(parse_tile_path(path)) << path;
}

TEST(Tiles, AreListedInTheOrderOfWriting) {
  EXPECT_THAT(paths_between(0, 0), ElementsAre());
  EXPECT_THAT(paths_between(0, 1), ElementsAre("tile/entries/000.p/1", "tile/0/000.p/1"));
  EXPECT_THAT(paths_between(255, 256), ElementsAre("tile/entries/000", "tile/0/000", "tile/1/000.p/1"));
  EXPECT_THAT(paths_between(256, 257), ElementsAre("tile/entries/001.p/1", "tile/0/001.p/1"));
  EXPECT_THAT(paths_between(300, 300), ElementsAre());
  EXPECT_THAT(paths_between(300, 600), ElementsAre("tile/entries/001", "tile/entries/002.p/88", "tile/0/001",
                                                   "tile/0/002.p/88", "tile/1/000.p/2"));
  EXPECT_EQ(paths_between(0, 65'536).size(), 256U + 256 + 1 + 1);
  EXPECT_EQ(paths_between(65'535, 65'536).back(), "tile/2/000.p/1");
}

TEST(Tiles, TreeGivesTheRootOfEverySizeAndTilesThatLeadToIt) {
  TileTree tree;
  std::vector<Digest> leaves;
  std::vector<Digest> roots{root_of({})};
  CompactTree compact;
  constexpr std::size_t kLeaves = 66'000;  // beyond one full tile of level 1
  for (std::size_t i = 0; i < kLeaves; ++i) {
    leaves.push_back(leaf_hash(std::to_string(i)));
    tree.append(leaves.back());
    compact.append(leaves.back());
    roots.push_back(compact.root());
  }
  for (std::size_t size = 0; size <= kLeaves; size += size < 1100 ? 1 : 97)
    ASSERT_EQ(tree.root(size), roots[size]) << size;
  EXPECT_EQ(tree.root(65'536), roots[65'536]);
  for (const auto& tile : tiles_between(0, kLeaves)) {
    if (tile.entries) continue;
    const auto hashes = decode_hashes(tree.hash_tile(tile), tile.width).value();
    const std::uint64_t span = 1ULL << (8 * tile.level);
    for (unsigned i = 0; i < tile.width; i += 51) {
      const std::uint64_t begin = (tile.index * kTileWidth + i) * span;
      ASSERT_EQ(hashes[i], root_of(std::span(leaves).subspan(begin, span))) << tile_path(tile);
    }
  }
}

TEST(Tiles, StepwisePublishingLeavesEveryTileOfTheFinalTree) {
  std::map<TileId, int> store;
  std::uint64_t size = 0;
  for (const std::uint64_t next : {1, 255, 256, 257, 511, 513, 1024, 65'535, 65'537, 70'000}) {
    for (const auto& tile : tiles_between(size, next)) ++store[tile];
    size = next;
    for (const auto& tile : tiles_between(0, size))
      ASSERT_TRUE(store.contains(tile)) << tile_path(tile) << " at " << size;
  }
  for (const auto& [tile, times] : store) EXPECT_EQ(times, 1) << tile_path(tile);
}

TEST(Tiles, EntriesGoIntoABundleAndBack) {
  const std::vector<std::string> entries = {"a", "", std::string(65'535, 'x'), std::string("\0\1", 2)};
  const std::string bundle = encode_entries(entries);
  EXPECT_EQ(bundle.substr(0, 5), std::string("\0\1a\0\0", 5));
  const auto decoded = decode_entries(bundle, 4).value();
  EXPECT_EQ(std::vector<std::string>(decoded.begin(), decoded.end()), entries);
}

TEST(Tiles, RefusesBundlesAndTilesOfAnotherWidth) {
  const std::vector<std::string> entries = {"abc", "de"};
  const std::string bundle = encode_entries(entries);
  EXPECT_FALSE(decode_entries(bundle, 1));
  EXPECT_FALSE(decode_entries(bundle, 3));
  EXPECT_FALSE(decode_entries(bundle + "x", 2));
  for (std::size_t cut = 1; cut < bundle.size(); ++cut)
    EXPECT_EQ(decode_entries(bundle.substr(0, cut), 2).error().fault(), Fault::corrupt);
  EXPECT_FALSE(decode_hashes(std::string(32, 'x'), 2));
  EXPECT_FALSE(decode_hashes(std::string(33, 'x'), 1));
  EXPECT_FALSE(decode_hashes(std::string(257 * 32, 'x'), 257));
}

}  // namespace
}  // namespace enclave::archive
