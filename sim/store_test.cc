#include "sim/store.h"

#include <gmock/gmock.h>

#include "crypto/ed25519.h"

namespace enclave::sim {
namespace {
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A log of leaves, with all that a store must have before its checkpoint.
struct SmallLog {
  SimRandom random{1};
  crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::generate(random);
  std::string origin = "test/vm/g1";
  std::string prefix = "v1/" + origin + "/";
  std::vector<std::string> entries;
  archive::TileTree tree;

  void add(const std::string& object) {
    archive::Leaf leaf;
    leaf.origin = origin;
    leaf.index = tree.size();
    leaf.boot_id = "b0070000-0000-4000-8000-000000000001";
    if (!object.empty()) {
      leaf.seq = {leaf.index + 1, leaf.index + 1};
      leaf.root = crypto::sha256(object);
      leaf.object = archive::LeafObject{object_key(leaf.index), object.size(), crypto::sha256(object)};
    }
    leaf.sources = {{"file:/a@00000001", "0", "1", object.empty() ? 0U : 1U, 0}};
    entries.push_back(archive::format_leaf(leaf));
    tree.append(archive::leaf_hash(entries.back()));
  }
  std::string object_key(std::uint64_t index) const { return fmt::format("{}b/{:020}.ndjson.zst.age", prefix, index); }
  void put_tiles(SimStore& store) const {
    for (const auto& id : archive::tiles_between(0, tree.size()))
      (void)store.put_if_absent(prefix + archive::tile_path(id),
                                id.entries ? archive::encode_entries(entries) : tree.hash_tile(id));
  }
  void put_checkpoint(SimStore& store) const { put_checkpoint(store, tree.size(), tree.root()); }
  void put_checkpoint(SimStore& store, std::uint64_t size, const crypto::Digest& root) const {
    archive::Note note;
    note.text = archive::Checkpoint{origin, size, root, {}}.text();
    note.sign(origin, key);
    (void)store.put(prefix + "checkpoint", note.format());
  }
};

struct StoreTest : testing::Test {
  SimClock clock;
  SimStore store{clock, 5};
  SmallLog log;
};

TEST_F(StoreTest, AcceptsALogThatIsSentInOrder) {
  log.add("object");
  log.add("");
  ASSERT_TRUE(store.put_if_absent(log.object_key(0), "object"));
  log.put_tiles(store);
  log.put_checkpoint(store);
  EXPECT_THAT(store.violations(), IsEmpty());
  EXPECT_EQ(store.objects().size(), 4u);
}

TEST_F(StoreTest, CatchesACheckpointBeforeItsObject) {
  log.add("object");
  log.put_tiles(store);
  log.put_checkpoint(store);
  EXPECT_THAT(store.violations(), ElementsAre(HasSubstr("published before v1/test/vm/g1/b/")));
}

TEST_F(StoreTest, CatchesACheckpointBeforeItsTiles) {
  log.add("");
  log.put_checkpoint(store);
  EXPECT_THAT(store.violations(), ElementsAre(HasSubstr("published before tile/entries/000.p/1")));
}

TEST_F(StoreTest, CatchesAnotherRootAndAnOlderSize) {
  log.add("");
  log.put_tiles(store);
  log.put_checkpoint(store, 1, crypto::sha256("another"));
  log.put_checkpoint(store);
  log.put_checkpoint(store, 0, crypto::sha256(""));
  EXPECT_THAT(store.violations(), ElementsAre(HasSubstr("root is not that"), HasSubstr("goes back from 1 to 0")));
}

TEST_F(StoreTest, CatchesOtherBytesForAnImmutableKey) {
  ASSERT_TRUE(store.put_if_absent("v1/x", "one"));
  EXPECT_EQ(store.put_if_absent("v1/x", "one").error().fault(), Fault::conflict);
  EXPECT_THAT(store.violations(), IsEmpty());
  EXPECT_EQ(store.put_if_absent("v1/x", "two").error().fault(), Fault::conflict);
  EXPECT_EQ(*store.get("v1/x", "", 10), "one");
  ASSERT_TRUE(store.remove("v1/x", ""));
  EXPECT_EQ(store.violations().size(), 2u);
}

TEST_F(StoreTest, KeepsOlderVersions) {
  const std::string first = *store.put("v1/x", "one");
  ASSERT_TRUE(store.put("v1/x", "two"));
  ASSERT_TRUE(store.remove("v1/x", ""));
  EXPECT_EQ(store.get("v1/x", "", 10).error().fault(), Fault::absent);
  EXPECT_EQ(*store.get("v1/x", first, 10), "one");
  std::vector<std::string> seen;
  ASSERT_TRUE(store.list({"v1/", true}, [&](const cloud::ObjectInfo& info) -> Result<void> {
    seen.push_back(fmt::format("{} {} {}", info.bytes, info.latest, info.delete_marker));
    return {};
  }));
  EXPECT_THAT(seen, ElementsAre("0 true true", "3 false false", "3 false false"));
}

TEST_F(StoreTest, DoesWhatItDoesNotAnswer) {
  store.set_manners({.fails = 0, .answer_lost = 1});
  EXPECT_EQ(store.put_if_absent("v1/x", "one").error().fault(), Fault::busy);
  store.set_manners({});
  EXPECT_EQ(store.put_if_absent("v1/x", "one").error().fault(), Fault::conflict);
}

TEST_F(StoreTest, StallsForTheGivenTime) {
  store.stall(seconds(60));
  EXPECT_EQ(store.put_if_absent("v1/x", "one").error().fault(), Fault::busy);
  clock.advance(seconds(61));
  EXPECT_TRUE(store.put_if_absent("v1/x", "one"));
  store.go_away(true);
  EXPECT_EQ(store.head("v1/x", "").error().fault(), Fault::busy);
}

}  // namespace
}  // namespace enclave::sim
