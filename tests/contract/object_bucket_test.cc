// The contract of object_bucket_contract.h over files and over S3, and what only a server can do wrong.
#include <filesystem>

#include "contract/object_bucket_contract.h"
#include "contract/scripted_s3.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

class FileBucketBench final : public BucketBench {
 public:
  FileBucketBench() {
    directory_ = std::filesystem::temp_directory_path() / "enclave-bucket-XXXXXX";
    ENSURE(::mkdtemp(directory_.data()) != nullptr);
    bucket_ = object_bucket_in(io::real_world(), directory_).value();
  }
  ~FileBucketBench() override { std::filesystem::remove_all(directory_); }
  FileBucketBench(const FileBucketBench&) = delete;
  FileBucketBench& operator=(const FileBucketBench&) = delete;
  ObjectBucket& bucket() override { return *bucket_; }
  bool lists_parts() const override { return false; }

 private:
  std::string directory_;
  std::unique_ptr<ObjectBucket> bucket_;
};

class ScriptedBench final : public BucketBench {
 public:
  ScriptedBench() : server_([this](const ScriptedServer::Request& request) { return s3(request); }) {
    S3Options options;
    options.endpoint = server_.url();
    options.bucket = "bucket";
    options.insecure = true;
    options.retry_pause = 1ms;
    options.retry_for = 1s;
    options.list_page = 2;
    s3_bucket_ = S3Bucket::open(io::real_world(), options, {"AK", crypto::Secret("SK"), {}}).value();
    bucket_ = object_bucket(*s3_bucket_);
  }
  ObjectBucket& bucket() override { return *bucket_; }
  std::size_t requests() { return server_.requests().size(); }

  ScriptedS3 s3;

 private:
  ScriptedServer server_;
  std::unique_ptr<S3Bucket> s3_bucket_;
  std::unique_ptr<ObjectBucket> bucket_;
};

std::unique_ptr<BucketBench> file_bench() { return std::make_unique<FileBucketBench>(); }
std::unique_ptr<BucketBench> scripted_bench() { return std::make_unique<ScriptedBench>(); }

INSTANTIATE_TEST_SUITE_P(File, ObjectBucketContract, ::testing::Values(&file_bench));
INSTANTIATE_TEST_SUITE_P(Script, ObjectBucketContract, ::testing::Values(&scripted_bench));

class ObjectBucketInTrouble : public ::testing::Test {
 protected:
  static constexpr std::size_t kPart = 5 << 20;
  std::string read(const std::string& key, std::uint64_t first = 0) {
    auto part = bucket_.range(key, "", first, 10, "", told_);
    return part ? std::move(part->bytes) : part.error().text();
  }
  ScriptedBench bench_;
  ObjectBucket& bucket_ = bench_.bucket();
  S3Told told_;
};

TEST_F(ObjectBucketInTrouble, ABusyServerIsAskedAgainAndNothingIsLost) {
  bench_.s3.refuse(2);
  ASSERT_TRUE(bucket_.put("k", "bytes", {}, told_));
  bench_.s3.refuse(2);
  const auto part = bucket_.range("k", "", 1, 2, "", told_);
  ASSERT_TRUE(part) << part.error().text();
  EXPECT_EQ(part->bytes, "yt");
  EXPECT_EQ(told_.request_id, "tx1");
  EXPECT_EQ(told_.code, "");
}

TEST_F(ObjectBucketInTrouble, WhatTheServerSaysIsToldAndTheOldObjectStays) {
  ASSERT_TRUE(bucket_.put("k", "old", {}, told_));
  bench_.s3.refuse(1000);
  const auto put = bucket_.put("k", "new", {}, told_);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::busy);
  EXPECT_EQ(told_.code, "SlowDown");
  EXPECT_EQ(told_.request_id, "tx1");
  bench_.s3.refuse(0);
  EXPECT_EQ(read("k"), "old");
}

TEST_F(ObjectBucketInTrouble, AnUploadGoesOnAfterTheServerFailedInBetween) {
  const auto upload = bucket_.begin("k", {}, told_);
  ASSERT_TRUE(upload);
  const std::string bytes(kPart, 'a');
  const auto first = bucket_.put_part(*upload, 1, 0, bytes, told_);
  ASSERT_TRUE(first);
  bench_.s3.refuse(1000);
  EXPECT_EQ(bucket_.put_part(*upload, 2, kPart, "end", told_).error().fault(), Fault::busy);
  EXPECT_EQ(bucket_.parts(*upload).error().fault(), Fault::busy) << "not absent: the upload is there";
  bench_.s3.refuse(0);
  EXPECT_EQ(bucket_.parts(*upload)->size(), 1U);
  const auto second = bucket_.put_part(*upload, 2, kPart, "end", told_);
  ASSERT_TRUE(second);
  ASSERT_TRUE(bucket_.complete(*upload, {*first, *second}, told_));
  EXPECT_EQ(read("k", kPart - 1), "aend");
}

TEST_F(ObjectBucketInTrouble, ALostAnswerToACompletionIsBusyAndNotAskedAgain) {
  const auto upload = bucket_.begin("k", {}, told_);
  const auto part = bucket_.put_part(*upload, 1, 0, "all", told_);
  ASSERT_TRUE(part);
  const std::size_t before = bench_.requests();
  bench_.s3.lose_next_answer();
  const auto done = bucket_.complete(*upload, {*part}, told_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().fault(), Fault::busy) << done.error().text();
  EXPECT_EQ(bench_.requests(), before + 1);
  EXPECT_TRUE(bucket_.abort(*upload));
  EXPECT_EQ(read("k"), "all") << "it was done";
}

TEST_F(ObjectBucketInTrouble, APartThatTheServerDoesNotKnowMakesNoObject) {
  const auto upload = bucket_.begin("k", {}, told_);
  auto part = bucket_.put_part(*upload, 1, 0, "all", told_);
  ASSERT_TRUE(part);
  part->etag = "another";
  EXPECT_FALSE(bucket_.complete(*upload, {*part}, told_));
  EXPECT_EQ(told_.code, "InvalidPart");
  EXPECT_EQ(bucket_.head("k", "", told_).error().fault(), Fault::absent);
  EXPECT_EQ(bench_.s3.open_uploads(), 1U);
  EXPECT_TRUE(bucket_.abort(*upload));
  EXPECT_EQ(bench_.s3.open_uploads(), 0U);
  EXPECT_EQ(bucket_.put_part(*upload, 0, 0, "x", told_).error().fault(), Fault::invalid);
}

TEST_F(ObjectBucketInTrouble, AServerThatFailsBetweenTwoPagesEndsTheList) {
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(bucket_.put(key, "", {}, told_));
  std::string seen;
  const auto listed = bucket_.list({}, [&](const ObjectInfo& found) -> Result<void> {
    seen += found.key;
    if (seen == "ab") bench_.s3.refuse(1000);
    return {};
  });
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().fault(), Fault::busy);
  EXPECT_EQ(seen, "ab");
}

}  // namespace
}  // namespace enclave::cloud
