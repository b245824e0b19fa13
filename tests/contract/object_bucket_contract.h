#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cloud/object_bucket.h"

/// What every ObjectBucket does. A bucket takes the suite on by instantiating it with a bench of its own:
///   INSTANTIATE_TEST_SUITE_P(File, ObjectBucketContract, ::testing::Values(&file_bench));
namespace enclave::cloud {

/// A place to try a bucket in: a fresh, empty, versioned one, gone or forgotten with the object.
class BucketBench {
 public:
  virtual ~BucketBench() = default;
  virtual ObjectBucket& bucket() = 0;
  /// Whether parts() knows what was put.
  virtual bool lists_parts() const { return true; }
};

class ObjectBucketContract : public ::testing::TestWithParam<std::unique_ptr<BucketBench> (*)()> {
 protected:
  static constexpr std::size_t kPart = 5 << 20;

  void SetUp() override { bench_ = GetParam()(); }
  ObjectBucket& bucket() { return bench_->bucket(); }

  std::string must_put(const std::string& key, std::string_view bytes, const Pairs& metadata = {}) {
    const auto version = bucket().put(key, bytes, metadata, told_);
    EXPECT_TRUE(version) << version.error().text();
    return version.value_or("");
  }
  ObjectPart must_read(const std::string& key, const std::string& version = "", std::uint64_t first = 0,
                       std::uint64_t count = 4 * kPart, const std::string& etag = "") {
    auto part = bucket().range(key, version, first, count, etag, told_);
    EXPECT_TRUE(part) << part.error().text();
    return part.value_or(ObjectPart{{}, "(error)"});
  }
  Fault fault_of_reading(const std::string& key, const std::string& version = "", const std::string& etag = "") {
    const auto part = bucket().range(key, version, 0, 4, etag, told_);
    const auto head = bucket().head(key, version, told_);
    EXPECT_FALSE(part);
    if (etag.empty()) {
      EXPECT_EQ(head ? Fault::busy : head.error().fault(), part ? Fault::busy : part.error().fault());
    }
    return part ? Fault::unsupported : part.error().fault();
  }
  std::vector<ObjectInfo> listed(const Listing& listing = {}) {
    std::vector<ObjectInfo> all;
    const auto done = bucket().list(listing, [&](const ObjectInfo& found) -> Result<void> {
      all.push_back(found);
      return {};
    });
    EXPECT_TRUE(done) << done.error().text();
    return all;
  }
  MultipartUpload must_begin(const std::string& key, const Pairs& metadata = {}) {
    const auto upload = bucket().begin(key, metadata, told_);
    EXPECT_TRUE(upload) << upload.error().text();
    return upload.value_or(MultipartUpload{});
  }
  UploadPart must_put_part(const MultipartUpload& upload, std::uint32_t number, std::string_view bytes) {
    S3Told told;
    const auto part = bucket().put_part(upload, number, (number - 1) * kPart, bytes, told);
    EXPECT_TRUE(part) << part.error().text();
    return part.value_or(UploadPart{});
  }
  Pairs kept(const Pairs& metadata) { return bucket().keeps_metadata() ? metadata : Pairs(); }

  std::unique_ptr<BucketBench> bench_;
  S3Told told_;
};

TEST_P(ObjectBucketContract, WhatIsPutIsReadBackWithItsHead) {
  const Pairs metadata = {{"enclave-bytes", "10"}, {"who", "me"}};
  const std::string version = must_put("dir/k +", "0123456789", metadata);
  EXPECT_FALSE(version.empty());
  const auto head = bucket().head("dir/k +", "", told_);
  ASSERT_TRUE(head) << head.error().text();
  const ObjectPart part = must_read("dir/k +");
  EXPECT_EQ(part.bytes, "0123456789");
  for (const ObjectHead& one : {*head, part.head}) {
    EXPECT_EQ(one.info.key, "dir/k +");
    EXPECT_EQ(one.info.bytes, 10U);
    EXPECT_EQ(one.info.version, version);
    EXPECT_FALSE(one.info.etag.empty());
    EXPECT_GT(one.info.modified_ns, 1'500'000'000'000'000'000);
    EXPECT_THAT(one.metadata, ::testing::UnorderedElementsAreArray(kept(metadata)));
  }
  EXPECT_EQ(head->info.etag, part.head.info.etag);
}

TEST_P(ObjectBucketContract, ARangeEndsWithTheObjectAndTellsItsSize) {
  must_put("k", "0123456789");
  must_put("empty", "");
  EXPECT_EQ(must_read("k", "", 3, 4).bytes, "3456");
  EXPECT_EQ(must_read("k", "", 8, 100).bytes, "89");
  for (const std::uint64_t first : {3, 8, 10, 1000}) EXPECT_EQ(must_read("k", "", first, 100).head.info.bytes, 10U);
  EXPECT_EQ(must_read("k", "", 10, 1).bytes, "");
  EXPECT_EQ(must_read("k", "", 1000, 5).bytes, "");
  EXPECT_EQ(must_read("empty", "", 0, 5).bytes, "");
  EXPECT_EQ(must_read("empty", "", 0, 5).head.info.bytes, 0U);
}

TEST_P(ObjectBucketContract, ARangeWithAnEtagIsOfThatObjectOrAConflict) {
  const std::string first = must_put("k", "0123456789");
  const std::string etag = must_read("k").head.info.etag;
  EXPECT_EQ(must_read("k", "", 2, 3, etag).bytes, "234");
  must_put("k", "another one");
  EXPECT_EQ(fault_of_reading("k", "", etag), Fault::conflict);
  EXPECT_EQ(must_read("k", first, 2, 3, etag).bytes, "234") << "the older version is what it was";
}

TEST_P(ObjectBucketContract, WhatIsNotThereIsAbsent) {
  EXPECT_EQ(fault_of_reading("nothing"), Fault::absent);
  const std::string gone = must_put("k", "1");
  must_put("k", "2");
  ASSERT_EQ(bucket().remove({{"k", gone}})->failed.size(), 0U);
  EXPECT_EQ(fault_of_reading("k", gone), Fault::absent);
  EXPECT_EQ(bucket().remove({{"nothing", ""}})->done.size(), 1U);
  EXPECT_EQ(bucket().parts({"k", "00"}).error().fault(), Fault::absent);
}

TEST_P(ObjectBucketContract, KeysAndUploadsThatNameNothingAreInvalid) {
  EXPECT_EQ(bucket().head("", "", told_).error().fault(), Fault::invalid);
  EXPECT_EQ(bucket().range("", "", 0, 1, "", told_).error().fault(), Fault::invalid);
  EXPECT_EQ(bucket().put("", "x", {}, told_).error().fault(), Fault::invalid);
  EXPECT_EQ(bucket().begin("", {}, told_).error().fault(), Fault::invalid);
  EXPECT_FALSE(bucket().put_part({"k", ""}, 1, 0, "x", told_));
  EXPECT_FALSE(bucket().complete({"k", ""}, {}, told_));
  EXPECT_THAT(listed(), ::testing::IsEmpty());
}

TEST_P(ObjectBucketContract, PartsInAnyOrderAndRepeatedMakeTheObject) {
  const Pairs metadata = {{"enclave-format", "age"}};
  const MultipartUpload upload = must_begin("large", metadata);
  const UploadPart third = must_put_part(upload, 3, "end");
  const UploadPart second = must_put_part(upload, 2, std::string(kPart, 'b'));
  must_put_part(upload, 1, std::string(kPart, 'x'));
  const UploadPart first = must_put_part(upload, 1, std::string(kPart, 'a'));
  EXPECT_THAT(listed(), ::testing::IsEmpty()) << "it is not there before it is whole";
  if (bench_->lists_parts()) {
    const auto parts = bucket().parts(upload);
    ASSERT_TRUE(parts) << parts.error().text();
    EXPECT_EQ(*parts, (std::vector<UploadPart>{first, second, third}));
  }
  const auto version = bucket().complete(upload, {third, first, second}, told_);
  ASSERT_TRUE(version) << version.error().text();
  const ObjectPart edge = must_read("large", *version, kPart - 2, 4);
  EXPECT_EQ(edge.bytes, "aabb");
  EXPECT_EQ(edge.head.info.bytes, 2 * kPart + 3);
  EXPECT_THAT(edge.head.metadata, ::testing::ElementsAreArray(kept(metadata)));
  EXPECT_EQ(must_read("large", "", 2 * kPart - 1, 10).bytes, "bend");
  EXPECT_TRUE(must_read("large").bytes == std::string(kPart, 'a') + std::string(kPart, 'b') + "end");
  // Its answer may have been lost: asking again is an error to some, and makes no second version anywhere.
  (void)bucket().complete(upload, {first, second, third}, told_);
  EXPECT_EQ(listed({.prefix = "", .versions = true}).size(), 1U);
}

TEST_P(ObjectBucketContract, PartsComeFromSeveralThreads) {
  const MultipartUpload upload = must_begin("large");
  std::vector<UploadPart> parts(3);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      parts[i] = must_put_part(upload, i + 1, std::string(i == 2 ? 1 : kPart, static_cast<char>('a' + i)));
    });
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(bucket().complete(upload, parts, told_));
  EXPECT_TRUE(must_read("large").bytes == std::string(kPart, 'a') + std::string(kPart, 'b') + "c");
}

TEST_P(ObjectBucketContract, AnAbortedUploadLeavesWhatWasThere) {
  must_put("k", "old");
  const MultipartUpload upload = must_begin("k");
  const UploadPart part = must_put_part(upload, 1, std::string(kPart, 'n'));
  ASSERT_TRUE(bucket().abort(upload));
  EXPECT_EQ(bucket().parts(upload).error().fault(), Fault::absent);
  const auto completed = bucket().complete(upload, {part}, told_);
  ASSERT_FALSE(completed);
  // Ceph 16 takes an upload that is gone for one that is being completed: 500.
  EXPECT_THAT(completed.error().fault(), ::testing::AnyOf(Fault::absent, Fault::busy)) << completed.error().text();
  EXPECT_EQ(bucket().put_part(upload, 1, 0, "x", told_).error().fault(), Fault::absent);
  EXPECT_TRUE(bucket().abort(upload)) << "one that is gone already is fine";
  EXPECT_EQ(must_read("k").bytes, "old");
  EXPECT_EQ(listed({.prefix = "", .versions = true}).size(), 1U);
}

TEST_P(ObjectBucketContract, TheListIsInOrderWithSizesAndEndsWhenTheVisitorSaysSo) {
  for (const char* key : {"b", "a/2", "a/1", "c"}) must_put(key, key);
  std::vector<std::string> keys;
  for (const auto& one : listed()) keys.push_back(one.key);
  EXPECT_THAT(keys, ::testing::ElementsAre("a/1", "a/2", "b", "c"));
  const auto below = listed({.prefix = "a/"});
  ASSERT_EQ(below.size(), 2U);
  EXPECT_EQ(below[0].bytes, 3U);
  const auto ended = bucket().list({}, [](const ObjectInfo&) -> Result<void> {
    return Error{Fault::invalid, "enough"};
  });
  EXPECT_EQ(ended.error().text(), "enough");
}

TEST_P(ObjectBucketContract, AnOlderOrDeletedVersionIsRestoredOnTop) {
  const std::string large = std::string(kPart, 'v') + "1";
  const Pairs metadata = {{"enclave-format", "plain"}};
  const std::string first = must_put("k", large, metadata);
  must_put("k", "2");
  ASSERT_TRUE(bucket().restore("k", first));
  EXPECT_TRUE(must_read("k").bytes == large);
  EXPECT_THAT(must_read("k").head.metadata, ::testing::ElementsAreArray(kept(metadata)));
  ASSERT_EQ(bucket().remove({{"k", ""}})->done.size(), 1U);
  EXPECT_EQ(fault_of_reading("k"), Fault::absent);
  ASSERT_TRUE(bucket().restore("k", first));
  EXPECT_TRUE(must_read("k").bytes == large);
  const auto all = listed({.prefix = "k", .versions = true});
  ASSERT_EQ(all.size(), 5U);
  EXPECT_TRUE(all[0].latest && all[1].delete_marker && !all[1].latest);
  EXPECT_EQ(all[4].version, first);
  EXPECT_EQ(bucket().restore("nothing", first).error().fault(), Fault::absent);
}

}  // namespace enclave::cloud
