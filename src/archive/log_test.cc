#include "archive/log.h"

#include <gmock/gmock.h>

#include "archive/log_test_support.h"
#include "archive/tiles.h"
#include "base/encoding.h"

namespace enclave::archive {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Log, BeginsWithAKeyLeafAndABootLeaf) {
  LogBed bed;
  auto log = bed.open();
  EXPECT_EQ(log->origin(), "ec528/vm-1/g1");
  EXPECT_EQ(log->size(), 2U);
  EXPECT_EQ(log->last_seq(), 0U);
  const auto leaves = bed.leaves(1);
  ASSERT_THAT(leaves, SizeIs(2));
  EXPECT_EQ(leaves[0].kind, LeafKind::key);
  EXPECT_EQ(leaves[0].vkey, log->trust_anchor());
  EXPECT_THAT(leaves[0].signatures, SizeIs(1));
  EXPECT_EQ(leaves[1].kind, LeafKind::boot);
  bed.expect_sound(*log);
}

TEST(Log, KeepsWhatWasAppendedAcrossAStart) {
  LogBed bed;
  {
    auto log = bed.open();
    EXPECT_EQ(log->append(bed.batch(1, 10), "first object").value(), 2U);
    EXPECT_EQ(log->append(bed.batch(11, 11), "second object").value(), 3U);
    EXPECT_EQ(log->outbox_bytes(), 25U);
    ASSERT_TRUE(log->sent(2));
  }
  auto log = bed.open();
  EXPECT_EQ(log->size(), 4U);
  EXPECT_EQ(log->last_seq(), 11U);
  ASSERT_THAT(log->pending(), SizeIs(1));
  const auto pending = log->pending()[0];
  EXPECT_EQ(pending.index, 3U);
  EXPECT_EQ(pending.key, "v1/ec528/vm-1/g1/b/00000000000000000003.ndjson.zst.age");
  EXPECT_EQ(pending.sha256, crypto::sha256("second object"));
  EXPECT_EQ(log->read_pending(3).value(), "second object");
  EXPECT_EQ(log->outbox_bytes(), 13U);
  bed.expect_sound(*log);
}

TEST(Log, PartsOfTheOriginAreMadeOfHarmlessCharacters) {
  LogBed bed;
  bed.options.enclave = "my enclave/x";
  bed.options.instance = ".." + std::string(100, 'y');
  EXPECT_EQ(bed.open()->origin(), "my-enclave-x/-." + std::string(62, 'y') + "/g1");
  bed.options.instance = "";
  Notices notices;
  EXPECT_EQ(Log::open(bed.world(), bed.options, notices).error().fault(), Fault::invalid);
}

TEST(Log, RefusesALeafThatItsKindDoesNotAllow) {
  LogBed bed;
  auto log = bed.open();
  Leaf leaf = bed.batch(1, 1);
  leaf.sources.clear();
  EXPECT_EQ(log->append(leaf, "object").error().fault(), Fault::invalid);
  EXPECT_EQ(log->size(), 2U);
  EXPECT_THAT(log->pending(), IsEmpty());
}

TEST(Log, ABootBringsANewKeyUnderBothKeysAndErasesTheOldOne) {
  LogBed bed;
  std::string anchor;
  {
    auto log = bed.open();
    anchor = log->trust_anchor();
    ASSERT_TRUE(log->append(bed.batch(1, 1), "object"));
  }
  const std::string old_seed = *bed.files.bytes("/state/log/1/signing-key");
  bed.options.boot_id = "b2";
  {
    Notices notices;
    auto log = Log::open(bed.world(), bed.options, notices).value();
    EXPECT_THAT(notices, SizeIs(1));
    EXPECT_EQ(log->trust_anchor(), anchor);
    EXPECT_EQ(log->size(), 5U);
    const auto leaves = bed.leaves(1);
    EXPECT_EQ(leaves[3].kind, LeafKind::key);
    ASSERT_THAT(leaves[3].signatures, SizeIs(2));
    EXPECT_EQ(leaves[3].signatures[0].vkey, anchor);
    EXPECT_EQ(leaves[3].signatures[1].vkey, leaves[3].vkey);
    EXPECT_EQ(leaves[4].kind, LeafKind::boot);
    bed.expect_sound(*log);
    EXPECT_EQ(log->checkpoint(4).error().fault(), Fault::unsupported);
    EXPECT_TRUE(log->checkpoint(5));
  }
  for (const auto& path : bed.files.paths())
    EXPECT_EQ(bed.files.bytes(path)->find(old_seed), std::string::npos) << path;
  EXPECT_EQ(bed.open()->size(), 5U) << "the same boot again adds nothing";
}

TEST(Log, PublishesEveryTileOfEverySizeOnceAndTheyLeadToTheSignedRoot) {
  LogBed bed;
  auto log = bed.open();
  std::map<std::string, std::string> store;
  std::uint64_t seq = 0;
  for (const std::uint64_t size : {2U, 3U, 255U, 256U, 300U, 513U}) {
    while (log->size() < size) {
      ++seq;
      ASSERT_TRUE(log->append(bed.positions(seq), {}));
    }
    const auto tiles = log->tiles_to_publish(size).value();
    for (const auto& file : tiles) {
      EXPECT_FALSE(store.contains(file.key)) << file.key;
      store[file.key] = file.bytes;
    }
    const LogFile checkpoint = log->checkpoint(size).value();
    EXPECT_EQ(checkpoint.key, "v1/ec528/vm-1/g1/checkpoint");
    const auto root = Checkpoint::parse(Note::parse(checkpoint.bytes).value().text).value().root;
    std::vector<Digest> hashes;
    for (const auto& tile : tiles_between(0, size)) {
      const std::string& bytes = store.at("v1/ec528/vm-1/g1/" + tile_path(tile));
      if (!tile.entries) continue;
      const auto entries = decode_entries(bytes, tile.width).value();
      for (const auto entry : entries) hashes.push_back(leaf_hash(entry));
    }
    EXPECT_EQ(root_of(hashes), root);
    ASSERT_TRUE(log->published(size));
    EXPECT_EQ(log->published_size(), size);
    EXPECT_THAT(log->tiles_to_publish(size).value(), IsEmpty());
  }
  log = bed.open();
  EXPECT_EQ(log->published_size(), 513U);
  EXPECT_EQ(log->tiles_to_publish(512).error().fault(), Fault::invalid);
  EXPECT_EQ(log->tiles_to_publish(514).error().fault(), Fault::invalid);
}

TEST(Log, AForkCommitsAgainWhatWasNotSent) {
  LogBed bed;
  auto log = bed.open();
  ASSERT_TRUE(log->append(bed.batch(1, 1), "one"));
  ASSERT_TRUE(log->sent(2));
  ASSERT_TRUE(log->published(3));
  ASSERT_TRUE(log->append(bed.batch(2, 4), "two"));
  ASSERT_TRUE(log->append(bed.batch(5, 5), "three"));
  ASSERT_TRUE(log->sent(4));
  ASSERT_TRUE(log->append(bed.positions(7), {}));
  const std::string root = bed.root_text(*log);
  ASSERT_TRUE(log->fork("the store holds\nanother history"));
  EXPECT_EQ(log->origin(), "ec528/vm-1/g2");
  EXPECT_EQ(log->last_seq(), 5U);
  EXPECT_EQ(log->published_size(), 0U);
  const auto leaves = bed.leaves(2);
  ASSERT_THAT(leaves, SizeIs(6));
  EXPECT_EQ(leaves[0].kind, LeafKind::key);
  EXPECT_EQ(leaves[1].kind, LeafKind::fork);
  EXPECT_EQ(leaves[1].previous, "ec528/vm-1/g1 6 " + root);
  EXPECT_EQ(leaves[1].reason, "the store holds another history");
  EXPECT_EQ(leaves[2].kind, LeafKind::boot);
  EXPECT_EQ(leaves[3].seq->second, 4U);
  EXPECT_EQ(leaves[3].sources, bed.batch(2, 4).sources);
  EXPECT_EQ(leaves[3].object->key, "v1/ec528/vm-1/g2/b/00000000000000000003.ndjson.zst.age");
  EXPECT_EQ(leaves[4].kind, LeafKind::gap) << "sent under an origin whose end was never published";
  EXPECT_EQ(leaves[4].seq->first, 5U);
  EXPECT_EQ(leaves[5].kind, LeafKind::batch);
  EXPECT_EQ(leaves[5].sources, bed.positions(7).sources);
  ASSERT_THAT(log->pending(), SizeIs(1));
  EXPECT_EQ(log->read_pending(3).value(), "two");
  EXPECT_EQ(bed.files.bytes("/state/outbox/1/3"), nullptr);
  EXPECT_EQ(bed.files.bytes("/state/log/1/signing-key"), nullptr);
  bed.expect_sound(*log);
  log = bed.open();
  EXPECT_EQ(log->origin(), "ec528/vm-1/g2");
  EXPECT_EQ(log->last_seq(), 5U);
  EXPECT_EQ(log->read_pending(3).value(), "two");
  bed.expect_sound(*log);
}

TEST(Log, ACopiedMachineBeginsAGenerationOfItsOwn) {
  LogBed bed;
  ASSERT_TRUE(bed.open()->append(bed.batch(1, 3), "one"));
  bed.options.instance = "vm-2";
  auto log = bed.open();
  EXPECT_EQ(log->origin(), "ec528/vm-2/g2");
  const auto leaves = bed.leaves(2);
  EXPECT_THAT(leaves[1].previous, HasSubstr("ec528/vm-1/g1 3 "));
  EXPECT_EQ(log->read_pending(3).value(), "one");
  EXPECT_EQ(log->last_seq(), 3U);
  bed.expect_sound(*log);
}

TEST(Log, TheNumberOfTheLastRecordOutlivesAForkWithNothingToCarry) {
  LogBed bed;
  auto log = bed.open();
  ASSERT_TRUE(log->append(bed.batch(1, 3), "one"));
  ASSERT_TRUE(log->sent(2));
  ASSERT_TRUE(log->published(3));
  ASSERT_TRUE(log->fork("test"));
  EXPECT_EQ(bed.leaves(2).size(), 3U);
  EXPECT_EQ(log->last_seq(), 3U);
  EXPECT_EQ(bed.open()->last_seq(), 3U);
}

TEST(LogDamage, ATornTailIsCutAndSaid) {
  LogBed bed;
  ASSERT_TRUE(bed.open()->append(bed.batch(1, 1), "one"));
  std::string& file = *bed.files.bytes("/state/log/1/leaves");
  const std::string whole = file;
  for (const std::string tail : {"\x05", "\x20\x00\x00\x00\x01\x02\x03\x04 half", "enclave-leaf/v1\norigin"}) {
    file = whole + tail;
    Notices notices;
    auto log = Log::open(bed.world(), bed.options, notices).value();
    EXPECT_THAT(notices, SizeIs(1));
    EXPECT_EQ(log->size(), 3U);
    EXPECT_EQ(file, whole);
  }
}

TEST(LogDamage, AnObjectWithoutItsLeafIsASealCutShortAndRemoved) {
  LogBed bed;
  ASSERT_TRUE(bed.open()->append(bed.batch(1, 1), "one"));
  bed.files.put("/state/outbox/1/3", "never committed");
  bed.files.put("/state/outbox/1/.3.tmp0", "half");
  auto log = bed.open();
  EXPECT_THAT(log->pending(), SizeIs(1));
  EXPECT_EQ(bed.files.bytes("/state/outbox/1/3"), nullptr);
  EXPECT_EQ(bed.files.bytes("/state/outbox/1/.3.tmp0"), nullptr);
}

TEST(LogDamage, ADamagedMiddleIsSetAsideAndALostObjectIsDeclared) {
  LogBed bed;
  std::string root;
  {
    auto log = bed.open();
    ASSERT_TRUE(log->append(bed.batch(1, 2), "one"));
    ASSERT_TRUE(log->append(bed.batch(3, 4), "two"));
    ASSERT_TRUE(log->append(bed.batch(5, 6), "three"));
    root = bed.root_text(*log);
  }
  std::string& file = *bed.files.bytes("/state/log/1/leaves");
  file[file.find("seq 3-4")] ^= 1;
  Notices notices;
  auto log = Log::open(bed.world(), bed.options, notices).value();
  EXPECT_THAT(notices, SizeIs(2));
  EXPECT_THAT(notices[0], HasSubstr("/state/log/1/leaves is damaged behind its first 3 leaves"));
  EXPECT_NE(bed.files.bytes("/state/log/1/leaves.bad"), nullptr);
  const auto leaves = bed.leaves(2);
  ASSERT_THAT(leaves, SizeIs(7));
  EXPECT_EQ(leaves[1].previous, "ec528/vm-1/g1 5 " + root) << "what the last checkpoint said";
  EXPECT_EQ(leaves[3].seq->first, 1U);
  EXPECT_EQ(leaves[4].kind, LeafKind::gap);
  EXPECT_EQ(*leaves[4].seq, (std::pair<std::uint64_t, std::uint64_t>{3, 4}));
  EXPECT_EQ(leaves[5].seq->first, 5U);
  EXPECT_EQ(leaves[6].kind, LeafKind::gap);
  EXPECT_EQ(leaves[6].sources[0].source, "outbox:ec528/vm-1/g1");
  EXPECT_EQ(log->last_seq(), 6U);
  EXPECT_EQ(log->read_pending(3).value(), "one");
  EXPECT_EQ(log->read_pending(5).value(), "three");
  EXPECT_EQ(*bed.files.bytes("/state/outbox/1/3.bad"), "two");
  bed.expect_sound(*log);
}

TEST(LogDamage, NoDamageOfAnyOneFileStopsTheStart) {
  for (const char* name : {"log/1/leaves", "log/1/checkpoint", "log/1/published", "log/1/anchor", "log/1/signing-key",
                           "log/1/last-seq", "log/current", "outbox/1/3"}) {
    const std::string path = std::string("/state/") + name;
    for (const int how : {0, 1, 2, 3, 4}) {
      LogBed bed;
      {
        auto log = bed.open();
        ASSERT_TRUE(log->append(bed.batch(1, 2), "one"));
        ASSERT_TRUE(log->sent(2));
        ASSERT_TRUE(log->published(3));
        ASSERT_TRUE(log->append(bed.batch(3, 4), "two"));
      }
      std::string& bytes = *bed.files.bytes(path);
      if (how == 0) bed.files.drop(path);
      if (how == 1) bytes.clear();
      if (how == 2) bytes.resize(bytes.size() / 2);
      if (how == 3) bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
      if (how == 4) bytes = std::string(100'000, '\xff');
      Notices notices;
      auto log = Log::open(bed.world(), bed.options, notices);
      ASSERT_TRUE(log) << path << " " << how << ": " << log.error().text();
      bed.expect_sound(**log);
      for (const auto& pending : (*log)->pending()) {
        const auto object = (*log)->read_pending(pending.index);
        EXPECT_EQ(object.value_or("set aside"), object ? "two" : "set aside");
      }
      ASSERT_TRUE((*log)->append(bed.batch((*log)->last_seq() + 1, (*log)->last_seq() + 1), "three"));
      bed.expect_sound(**log);
      EXPECT_TRUE(bed.open()->append(bed.positions(9), {})) << path << " " << how;
    }
  }
}

TEST(LogDamage, ARolledBackLeafFileBeginsANewGeneration) {
  LogBed bed;
  {
    auto log = bed.open();
    ASSERT_TRUE(log->append(bed.batch(1, 2), "one"));
  }
  const std::string older = *bed.files.bytes("/state/log/1/leaves");
  ASSERT_TRUE(bed.open()->append(bed.batch(3, 4), "two"));
  *bed.files.bytes("/state/log/1/leaves") = older;
  auto log = bed.open();
  EXPECT_EQ(log->origin(), "ec528/vm-1/g2");
  EXPECT_THAT(bed.leaves(2)[1].previous, HasSubstr("ec528/vm-1/g1 4 "));
  EXPECT_EQ(bed.leaves(2).back().kind, LeafKind::gap);
}

TEST(LogDamage, AnObjectThatIsNotWhatWasSealedIsGivenUpWithAGapLeaf) {
  for (const bool same_size : {true, false}) {
    LogBed bed;
    auto log = bed.open();
    ASSERT_TRUE(log->append(bed.batch(1, 2), "one"));
    *bed.files.bytes("/state/outbox/1/2") = same_size ? "onE" : "o";
    if (!same_size) log = bed.open();
    EXPECT_EQ(log->read_pending(2).error().fault(), same_size ? Fault::corrupt : Fault::absent);
    EXPECT_THAT(log->pending(), IsEmpty());
    EXPECT_EQ(log->outbox_bytes(), 0U);
    const auto leaves = bed.leaves(1);
    EXPECT_EQ(leaves.back().kind, LeafKind::gap);
    EXPECT_EQ(leaves.back().seq->second, 2U);
    EXPECT_NE(bed.files.bytes("/state/outbox/1/2.bad"), nullptr);
    EXPECT_EQ(bed.open()->size(), leaves.size()) << "said once";
  }
}

TEST(LogDamage, ALostKeyBeginsANewGenerationAndKeepsTheLeaves) {
  LogBed bed;
  ASSERT_TRUE(bed.open()->append(bed.batch(1, 2), "one"));
  bed.files.drop("/state/log/1/signing-key");
  auto log = bed.open();
  EXPECT_EQ(log->origin(), "ec528/vm-1/g2");
  EXPECT_NE(bed.files.bytes("/state/log/1/leaves"), nullptr);
  EXPECT_EQ(log->read_pending(3).value(), "one");
  bed.expect_sound(*log);
}

}  // namespace
}  // namespace enclave::archive
