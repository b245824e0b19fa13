#include "pipeline/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "io/system.h"
#include "pipeline/registry.h"

namespace enclave::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "enclave-spool-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::unique_ptr<Spool> open(std::string_view key_letter = "k") {
    recovered_.clear();
    notices_.clear();
    const crypto::Secret key(std::string(32, key_letter[0]));
    auto spool = Spool::open(
        io::real_world(), {directory_ + "/spool", segment_bytes_}, key,
        [&](Frame&& frame) { recovered_.push_back(std::move(frame)); }, notices_);
    EXPECT_TRUE(spool) << spool.error().text();
    return std::move(*spool);
  }
  static Frame frame(std::uint64_t first, std::uint32_t count, std::string records) {
    Frame made;
    made.first_seq = first;
    made.count = count;
    made.boot_id = "boot";
    made.wall_ns = 5;
    made.records = std::move(records);
    made.sources.push_back({"file:/a@1", "0", "10", count, 0, "offset=10"});
    return made;
  }
  std::vector<std::uint64_t> recovered_seqs() const {
    std::vector<std::uint64_t> seqs;
    for (const auto& found : recovered_) seqs.push_back(found.first_seq);
    return seqs;
  }
  std::vector<std::string> segments(const std::string& ending = ".spool") const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory_ + "/spool"))
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::string directory_;
  ByteCount segment_bytes_ = 32_MiB;
  std::vector<Frame> recovered_;
  std::vector<std::string> notices_;
};

TEST_F(SpoolTest, GivesBackWhatWasCommittedAndNothingElse) {
  auto spool = open();
  spool->stage(frame(1, 2, "one"));
  spool->stage(frame(3, 1, "two"));
  ASSERT_THAT(*spool->commit(), SizeIs(2));
  spool->stage(frame(4, 1, "never committed"));
  spool = open();
  ASSERT_THAT(recovered_seqs(), ElementsAre(1, 3));
  EXPECT_EQ(recovered_[0].records, "one");
  EXPECT_EQ(recovered_[0].sources[0].state, "offset=10");
  EXPECT_THAT(notices_, IsEmpty());
}

TEST_F(SpoolTest, NothingReadableStandsOnTheDisk) {
  auto spool = open();
  spool->stage(frame(1, 1, std::string(100, 'Q')));
  ASSERT_TRUE(spool->commit());
  EXPECT_EQ(content(segments()[0]).find("QQQQ"), std::string::npos);
  EXPECT_EQ(content(segments()[0]).find("offset=10"), std::string::npos);
}

TEST_F(SpoolTest, SealedSegmentsGo) {
  segment_bytes_ = {100};
  auto spool = open();
  std::vector<std::uint64_t> ordinals;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ordinals.push_back(spool->stage(frame(i, 1, "x")));
    ASSERT_TRUE(spool->commit());
  }
  EXPECT_THAT(segments(), SizeIs(3));
  ASSERT_TRUE(spool->free_through(ordinals[1]));
  EXPECT_THAT(segments(), SizeIs(1));
  EXPECT_GT(spool->bytes(), 0U);
  ASSERT_TRUE(spool->free_through(ordinals[2]));
  EXPECT_EQ(spool->bytes(), 0U);
  EXPECT_THAT(segments(), IsEmpty());
}

TEST_F(SpoolTest, EveryTornTailLeavesTheWholeFramesBefore) {
  auto spool = open();
  spool->stage(frame(1, 1, "one"));
  ASSERT_TRUE(spool->commit());
  const std::size_t whole = content(segments()[0]).size();
  spool->stage(frame(2, 1, "two"));
  ASSERT_TRUE(spool->commit());
  spool.reset();
  const std::string path = segments()[0], full = content(path);
  for (std::size_t size = 0; size < full.size(); ++size) {
    write(path, full.substr(0, size));
    open();
    if (size >= whole) {
      ASSERT_THAT(recovered_seqs(), ElementsAre(1)) << size;
    } else {
      ASSERT_THAT(recovered_seqs(), IsEmpty()) << size;
    }
    ASSERT_THAT(notices_, IsEmpty()) << size;
  }
}

TEST_F(SpoolTest, EveryFlippedByteOfAMiddleFrameCostsThatFrameOnlyAndIsSaid) {
  auto spool = open();
  std::vector<std::size_t> ends;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    spool->stage(frame(i, 1, "record"));
    ASSERT_TRUE(spool->commit());
    ends.push_back(content(segments()[0]).size());
  }
  spool.reset();
  const std::string path = segments()[0], full = content(path);
  for (std::size_t at = ends[0]; at < ends[1]; ++at) {
    std::string bad = full;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write(path, bad);
    open();
    ASSERT_THAT(recovered_seqs(), ElementsAre(1, 3)) << at;
    ASSERT_THAT(notices_, SizeIs(1)) << at;
  }
  auto reopened = open();
  ASSERT_TRUE(reopened->free_through(recovered_.back().ordinal));
  EXPECT_THAT(segments(".spool.bad"), SizeIs(1));
  EXPECT_THAT(segments(), IsEmpty());
}

TEST_F(SpoolTest, AnotherKeyIsToldAndNothingIsDestroyed) {
  auto spool = open();
  spool->stage(frame(1, 1, "one"));
  ASSERT_TRUE(spool->commit());
  spool = open("x");
  EXPECT_THAT(recovered_, IsEmpty());
  ASSERT_THAT(notices_, SizeIs(1));
  EXPECT_NE(notices_[0].find("another spool key"), std::string::npos);
  ASSERT_TRUE(spool->free_through(0));
  EXPECT_THAT(segments(".spool.bad"), SizeIs(1));
}

TEST(SpoolFrame, DecoderSurvivesEveryCutAndManyFlips) {
  Frame frame;
  frame.boot_id = "b";
  frame.sources = {{"s", "1", "2", 3, 4, "state"}, {"t", "", "", 0, 0, ""}};
  frame.records = "records";
  std::string plain;
  encode_frame(frame, plain);
  ASSERT_EQ(decode_frame(plain)->sources, frame.sources);
  for (std::size_t size = 0; size + frame.records.size() < plain.size(); ++size)
    EXPECT_FALSE(decode_frame(plain.substr(0, size))) << size;
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bad = plain;
    bad[random() % bad.size()] = static_cast<char>(random());
    (void)decode_frame(bad);
  }
}

TEST(Registry, IsReadBackAndRefusesAnyChangedByte) {
  const RegistryStates states{{"file:/a b\t@1", "x\\y\n"}, {"journal:1", ""}};
  const std::string text = format_registry(7, states);
  ASSERT_EQ(*parse_registry(text), states);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(parse_registry(bad)) << at;
    EXPECT_FALSE(parse_registry(text.substr(0, at))) << at;
  }
}

TEST_F(SpoolTest, ADamagedRegistryIsReplacedByItsCopy) {
  const std::string path = directory_ + "/registry";
  std::vector<std::string> notices;
  {
    Registry registry(io::real_files(), path, notices);
    registry.apply(std::vector<event::SourceRange>{{"s", "0", "1", 1, 0, "one"}, {"t", "0", "1", 1, 0, "two"}});
    registry.apply(std::vector<event::SourceRange>{{"t", "1", "1", 0, 0, ""}});
    ASSERT_TRUE(registry.save(1));
  }
  write(path, "damaged");
  Registry registry(io::real_files(), path, notices);
  EXPECT_EQ(registry.find("s"), "one");
  EXPECT_EQ(registry.find("t"), std::nullopt);
  EXPECT_THAT(notices, SizeIs(1));
  EXPECT_TRUE(fs::exists(path + ".bad"));
}

}  // namespace
}  // namespace enclave::pipeline
