#include "archive/sealer.h"

#include <gmock/gmock.h>

#include "archive/log_test_support.h"
#include "event/compress.h"

namespace enclave::archive {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct SealBed {
  LogBed bed;
  crypto::AgeIdentity identity = crypto::AgeIdentity::generate(bed.random);
  std::unique_ptr<Log> log = bed.open();
  Sealer sealer{*log, {identity.recipient()}, "b1", bed.random};
  std::string plain;
  std::vector<Digest> leaves;

  /// Adds a frame of `count` lines.
  void add(OpenBatch& batch, std::uint64_t first, std::uint64_t count, std::vector<event::SourceRange> sources,
           std::size_t line_bytes = 20) {
    std::string lines;
    std::vector<Digest> hashes;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string line = fmt::format("record {} {}", first + i, std::string(line_bytes, 'x'));
      hashes.push_back(leaf_hash(line));
      lines += line + "\n";
    }
    std::string frame;
    event::Compressor().frame(lines, frame);
    batch.add(first, hashes, frame, lines.size(), 1'000 + static_cast<std::int64_t>(first), 5, sources);
    plain += lines;
    leaves.insert(leaves.end(), hashes.begin(), hashes.end());
  }
  std::string opened(std::uint64_t index) {
    const std::string object = log->read_pending(index).value();
    return event::decompress(crypto::age_decrypt(object, std::span(&identity, 1)).value(), 1 << 24).value();
  }
};

TEST(Sealer, AnObjectHoldsTheRecordsAndItsLeafWhatTheyAre) {
  SealBed s;
  OpenBatch batch;
  EXPECT_TRUE(batch.empty());
  s.add(batch, 1, 2, {{"file:/a@1", "0", "40", 2, 0, ""}});
  s.add(batch, 3, 3, {{"file:/b@1", "", "7", 1, 0, ""}, {"file:/a@1", "40", "90", 2, 0, ""}});
  EXPECT_EQ(batch.count(), 5U);
  EXPECT_EQ(batch.last_seq(), 5U);
  EXPECT_EQ(batch.plain_bytes(), s.plain.size());
  ASSERT_TRUE(s.sealer.seal(batch));
  const Leaf leaf = s.bed.leaves(1).back();
  EXPECT_EQ(leaf.kind, LeafKind::batch);
  EXPECT_EQ(*leaf.seq, (std::pair<std::uint64_t, std::uint64_t>{1, 5}));
  EXPECT_EQ(*leaf.root, root_of(s.leaves));
  EXPECT_EQ(leaf.time_first_ns, 1'001);
  EXPECT_EQ(leaf.time_last_ns, 1'003);
  ASSERT_THAT(leaf.sources, SizeIs(2));
  EXPECT_EQ(leaf.sources[0], (LeafSource{"file:/a@1", "0", "90", 4, 0}));
  EXPECT_EQ(leaf.sources[1], (LeafSource{"file:/b@1", "", "7", 1, 0}));
  EXPECT_EQ(s.opened(leaf.index), s.plain);
  EXPECT_EQ(s.log->last_seq(), 5U);
}

TEST(Sealer, ManySmallFramesAreCompressedAnewAsOne) {
  SealBed many;
  OpenBatch batch;
  for (std::uint64_t i = 0; i < 200; ++i) many.add(batch, 1 + i, 1, {{"a", "0", std::to_string(i), 1, 0, ""}});
  const std::uint64_t frames = batch.bytes();
  ASSERT_TRUE(many.sealer.seal(batch));
  EXPECT_LT(many.log->outbox_bytes(), frames / 4);
  EXPECT_EQ(many.opened(2), many.plain);
  EXPECT_EQ(*many.bed.leaves(1).back().root, root_of(many.leaves));
}

TEST(Sealer, WhatWasLostIsFollowedByAGapLeaf) {
  SealBed s;
  OpenBatch batch;
  s.add(batch, 1, 1, {{"kept", "0", "5", 1, 0, ""}, {"cut", "0", "5", 0, 17, ""}});
  ASSERT_TRUE(s.sealer.seal(batch));
  const auto leaves = s.bed.leaves(1);
  const Leaf& gap = leaves.back();
  EXPECT_EQ(leaves[leaves.size() - 2].kind, LeafKind::batch);
  EXPECT_EQ(gap.kind, LeafKind::gap);
  ASSERT_THAT(gap.sources, SizeIs(1));
  EXPECT_EQ(gap.sources[0], (LeafSource{"cut", "0", "5", 0, 17}));
  EXPECT_FALSE(gap.seq);
}

TEST(Sealer, MovedPositionsAloneMakeALeafWithoutAnObject) {
  SealBed s;
  OpenBatch batch;
  batch.add(1, {}, {}, 0, 7, 7, std::vector<event::SourceRange>{{"a", "0", "9", 0, 0, ""}});
  EXPECT_FALSE(batch.empty());
  ASSERT_TRUE(s.sealer.seal(batch));
  EXPECT_THAT(s.log->pending(), SizeIs(0));
  const Leaf leaf = s.bed.leaves(1).back();
  EXPECT_EQ(leaf.kind, LeafKind::batch);
  EXPECT_FALSE(leaf.seq || leaf.root || leaf.object);
}

TEST(Sealer, AFailedSealCanBeRepeatedAndCommitsEachLeafOnce) {
  for (std::uint64_t call = 1; call < 60; ++call) {
    SealBed s;
    OpenBatch batch;
    s.add(batch, 1, 3, {{"cut", "0", "5", 3, 17, ""}});
    s.bed.files.fail(call, 2);
    int attempts = 0;
    while (!s.sealer.seal(batch)) ASSERT_LT(++attempts, 10);
    s.bed.files.heal();
    const auto leaves = s.bed.leaves(1);
    ASSERT_THAT(leaves, SizeIs(4)) << call;
    EXPECT_EQ(leaves[2].kind, LeafKind::batch);
    EXPECT_EQ(leaves[3].kind, LeafKind::gap);
    EXPECT_EQ(s.opened(2), s.plain);
    s.bed.expect_sound(*s.log);
  }
}

TEST(Sealer, AHeartbeatSaysThatNothingHappened) {
  SealBed s;
  ASSERT_TRUE(s.sealer.heartbeat(123, 45));
  const Leaf leaf = s.bed.leaves(1).back();
  EXPECT_EQ(leaf.kind, LeafKind::heartbeat);
  EXPECT_EQ(leaf.time_last_ns, 123);
  EXPECT_EQ(leaf.boot_ns, 45);
}

TEST(Sealer, NoNameOfASourceStopsTheLog) {
  SealBed s;
  OpenBatch batch;
  const std::string hostile[] = {"file:/a b\n@1",
                                 "\xff\xfe",
                                 "",
                                 "..",
                                 "-",
                                 std::string(100'000, 'n'),
                                 "x" + std::string(4095, 'y') + "\u00e9",
                                 std::string("nul\0", 4)};
  std::vector<event::SourceRange> sources;
  for (const auto& name : hostile)
    for (const auto& position : hostile) sources.push_back({name, position, position, 1, 0, ""});
  for (std::size_t i = 0; i < std::size(hostile); ++i) {
    OpenBatch one;
    one.add(s.log->last_seq() + 1, {}, {}, 0, 1, 1, std::span(sources).subspan(i * 8, 8));
    const std::size_t bound = one.leaf_bytes();
    ASSERT_TRUE(s.sealer.seal(one)) << i;
    EXPECT_LE(s.bed.texts(1).back().size(), bound);
  }
}

TEST(OpenBatch, LeafBytesIsNeverBelowWhatTheLeafTakes) {
  SealBed s;
  s.bed.options.enclave = std::string(64, 'e');
  s.bed.options.instance = std::string(64, 'i');
  s.log = s.bed.open();
  Sealer sealer(*s.log, {s.identity.recipient()}, "b1", s.bed.random);
  OpenBatch batch;
  std::uint64_t seq = 1;
  for (int i = 0; i < 300; ++i) {
    const std::string source = fmt::format("file:/var/log/{}@{:08x}", i % 200, i % 200);
    s.add(batch, seq++, 1,
          {{source, i < 200 ? "" : "12", fmt::format("{}", 1ULL << (i % 60)), 1ULL << 62, 1ULL << 62, ""}});
  }
  const std::size_t bound = batch.leaf_bytes();
  ASSERT_TRUE(sealer.seal(batch));
  const auto texts = s.bed.texts(2);
  EXPECT_LE(texts[texts.size() - 2].size(), bound);
  EXPECT_LT(bound, texts[texts.size() - 2].size() * 2);
  EXPECT_LE(texts.back().size(), bound) << "the gap leaf";
}

}  // namespace
}  // namespace enclave::archive
