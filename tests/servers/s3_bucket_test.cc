// The settings of buckets and the operations beyond ObjectStore, against a real server.
#include "cloud/s3_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cloud/s3_documents.h"
#include "cloud/s3_objects.h"
#include "cloud/s3_policy.h"
#include "contract/object_bucket_contract.h"
#include "servers/s3_server.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::unique_ptr<S3Bucket> opened(const S3Options& options, S3Credentials who = credentials()) {
  auto bucket = S3Bucket::open(io::real_world(), options, std::move(who));
  EXPECT_TRUE(bucket) << bucket.error().text();
  return std::move(bucket.value());
}

bool is_swift() { return variable("S3_SERVER") == "swift"; }

class BucketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bucket_ = opened(options_);
    const auto made = bucket_->create({});
    ASSERT_TRUE(made) << made.error().text();
  }
  void put(const std::string& key, std::string_view bytes) {
    const auto done = bucket_->client().send({.method = "PUT", .key = key, .body = bytes});
    ASSERT_TRUE(done) << done.error().text();
  }
  S3Options options_ = options_for(new_bucket_name());
  std::unique_ptr<S3Bucket> bucket_;
};

#define MUST(...)                               \
  do {                                          \
    const auto must_ = (__VA_ARGS__);           \
    ASSERT_TRUE(must_) << must_.error().text(); \
  } while (false)

TEST_F(BucketTest, IsOursAfterItsCreationAndAbsentAfterItsEnd) {
  EXPECT_EQ(bucket_->ownership().value(), Ownership::ours);
  MUST(bucket_->create({}));
  put("k", "x");
  EXPECT_EQ(bucket_->destroy().error().fault(), Fault::conflict);
  EXPECT_EQ(delete_objects(*bucket_, {{"k", ""}})->done.size(), 1U);
  MUST(bucket_->destroy());
  EXPECT_EQ(bucket_->ownership().value(), Ownership::absent);
}

TEST_F(BucketTest, AnothersBucketIsToldApart) {
  if (is_swift()) GTEST_SKIP() << "names of buckets belong to the account there";
  const auto theirs = opened(options_, others_credentials());
  EXPECT_EQ(theirs->ownership().value(), Ownership::others);
  EXPECT_EQ(theirs->create({}).error().fault(), Fault::conflict);
  // Also when it lets everybody in.
  MUST(bucket_->client().send({.method = "PUT", .query = {{"acl", ""}}, .headers = {{"x-amz-acl", "public-read"}}}));
  EXPECT_EQ(theirs->ownership().value(), Ownership::others);
}

TEST_F(BucketTest, AWrongSecretIsNotTakenForAnotherOwner) {
  S3Credentials wrong = credentials();
  wrong.secret_key = crypto::Secret("wrong");
  const auto owned = opened(options_, std::move(wrong))->ownership();
  ASSERT_FALSE(owned);
  EXPECT_EQ(owned.error().fault(), Fault::denied);
  EXPECT_THAT(owned.error().text(), HasSubstr("check the access key and the secret key"));
}

TEST_F(BucketTest, VersioningAndAclsAreReadAndWritten) {
  EXPECT_EQ(parse_versioning_configuration(bucket_->read(Setting::versioning).value())->state,
            Versioning::State::never_set);
  MUST(bucket_->write(Setting::versioning, format_versioning(true)));
  EXPECT_EQ(parse_versioning_configuration(bucket_->read(Setting::versioning).value())->state,
            Versioning::State::enabled);
  const auto acl = parse_acl(bucket_->read(Setting::acl).value());
  ASSERT_TRUE(acl) << acl.error().text();
  EXPECT_TRUE(acl->is_private());
  MUST(bucket_->client().send({.method = "PUT", .query = {{"acl", ""}}, .headers = {{"x-amz-acl", "public-read"}}}));
  // Swift reads back "private" whatever was set: there only a trial tells.
  EXPECT_EQ(parse_acl(bucket_->read(Setting::acl).value())->is_public(), !is_swift());
  MUST(bucket_->write(Setting::acl, format_acl(*acl)));
  EXPECT_TRUE(parse_acl(bucket_->read(Setting::acl).value())->is_private());
}

TEST_F(BucketTest, WhatTheServerDoesNotKnowIsSaidAndNeverSent) {
  std::vector<Setting> unknown = {Setting::encryption, Setting::ownership_controls};
  if (is_swift()) unknown = {Setting::encryption, Setting::lifecycle, Setting::public_access_block, Setting::policy};
  for (const Setting setting : unknown) {
    EXPECT_EQ(bucket_->read(setting).error().fault(), Fault::unsupported) << query_of(setting);
    const std::string document = setting == Setting::encryption            ? format_encryption({"AES256", ""})
                                 : setting == Setting::lifecycle           ? format_lifecycle({})
                                 : setting == Setting::public_access_block ? format_public_access_block({})
                                 : setting == Setting::policy              ? BucketPolicy().json()
                                                                           : "<OwnershipControls/>";
    EXPECT_EQ(bucket_->write(setting, document).error().fault(), Fault::unsupported) << query_of(setting);
    EXPECT_EQ(bucket_->remove(setting, true).error().fault(), Fault::unsupported) << query_of(setting);
    EXPECT_EQ(bucket_->ownership().value(), Ownership::ours) << "the bucket is gone after " << query_of(setting);
  }
}

TEST_F(BucketTest, PoliciesLifecyclesTagsAndBlocksAreWrittenReadAndRemoved) {
  if (is_swift()) GTEST_SKIP() << "it has none of these";
  BucketPolicy policy;
  MUST(policy.set(fmt::format(R"({{"Sid":"s","Effect":"Deny","Principal":"*","Action":"s3:GetObject",)"
                              R"("Resource":"arn:aws:s3:::{}/x"}})",
                              bucket_->name())));
  LifecycleRule rule;
  rule.id = "ours";
  rule.noncurrent_days = 30;
  rule.abort_upload_days = 7;
  Lifecycle lifecycle;
  lifecycle.set(rule);
  const std::vector<std::pair<Setting, std::string>> all = {
      {Setting::policy, policy.json()},
      {Setting::lifecycle, format_lifecycle(lifecycle)},
      {Setting::tagging, format_tagging({{"k", "v w"}})},
      {Setting::public_access_block, format_public_access_block({true, true, true, true})}};
  for (const auto& [setting, document] : all) {
    EXPECT_EQ(bucket_->remove(setting, false).error().fault(), Fault::unsupported);
    if (setting != Setting::public_access_block) {
      EXPECT_EQ(bucket_->read(setting).error().fault(), Fault::absent) << query_of(setting);
    }
    MUST(bucket_->write(setting, document));
  }
  EXPECT_NE(BucketPolicy::parse(bucket_->read(Setting::policy).value())->find("s"), nullptr);
  const auto read = parse_lifecycle(bucket_->read(Setting::lifecycle).value());
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->rules.at(0).noncurrent_days, 30U);
  EXPECT_EQ(read->rules.at(0).abort_upload_days, 7U);
  EXPECT_EQ(parse_tagging(bucket_->read(Setting::tagging).value()).value(), (Tags{{"k", "v w"}}));
  EXPECT_TRUE(parse_public_access_block(bucket_->read(Setting::public_access_block).value())->all());
  for (const auto& [setting, document] : all) {
    MUST(bucket_->remove(setting, true));
    EXPECT_EQ(bucket_->ownership().value(), Ownership::ours) << "the bucket is gone after " << query_of(setting);
  }
  EXPECT_EQ(bucket_->read(Setting::policy).error().fault(), Fault::absent);
}

TEST_F(BucketTest, ObjectLockIsMadeWithTheBucketOnly) {
  if (is_swift()) GTEST_SKIP() << "it ignores object lock";
  EXPECT_EQ(bucket_->read(Setting::object_lock).error().fault(), Fault::absent);
  S3Options options = options_;
  options.bucket = new_bucket_name();
  const auto locked = opened(options);
  MUST(locked->create({.object_lock = true, .location = ""}));
  const ObjectLock wanted{true, ObjectLock::Mode::governance, 1, 0};
  MUST(locked->write(Setting::object_lock, format_object_lock(wanted)));
  EXPECT_EQ(parse_object_lock(locked->read(Setting::object_lock).value()).value(), wanted);
}

TEST_F(BucketTest, AnAnonymousRequestIsRefusedAndTheAnswerIsTheEvidence) {
  S3Options options = options_;
  options.anonymous = true;
  const auto nobody = opened(options, {});
  put("k", "secret content");
  const auto answer = nobody->ask({.method = "GET", .key = "k"});
  MUST(answer);
  EXPECT_FALSE(answer->good());
  if (!is_swift()) {
    EXPECT_EQ(answer->outcome(), "403 AccessDenied");
  }
  EXPECT_THAT(answer->evidence(), HasSubstr(fmt::format("/{}/k (unsigned)\n4", bucket_->name())));
}

TEST_F(BucketTest, OldVersionsOfTlsAreRefusedByTheServerOrBySayingSo) {
  if (is_swift()) GTEST_SKIP() << "it speaks plain http here";
  for (const auto tls : {S3Options::TlsAtMost::only_1_0, S3Options::TlsAtMost::only_1_1}) {
    S3Options options = options_;
    options.tls_at_most = tls;
    const auto answer = opened(options)->ask({.method = "HEAD"});
    if (!answer) {
      EXPECT_EQ(answer.error().fault(), Fault::denied) << answer.error().text();
    }
  }
}

const std::vector<std::string>& awkward_keys() {
  static const std::vector<std::string> keys = {"a b",
                                                "a+b",
                                                "a%2Fb",
                                                "a/b/c",
                                                "a//b",
                                                "\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x92",
                                                "quote\"'<&>",
                                                "new\nline",
                                                "tab\t.",
                                                "q?x=1&y",
                                                "#hash",
                                                "~tilde",
                                                "*star",
                                                "(paren)",
                                                "back\\slash",
                                                "dot/../dot",
                                                std::string(1024, 'k'),
                                                "\xc3\xbc" + std::string(1022, '/')};
  return keys;
}

TEST_F(BucketTest, EveryLegalKeyIsPutCopiedReadInPartsPresignedAndDeleted) {
  std::vector<KeyVersion> all;
  for (const auto& key : awkward_keys()) {
    put(key, "0123456789");
    const auto part = get_range(*bucket_, key, "", 3, 4);
    ASSERT_TRUE(part) << key << ": " << part.error().text();
    EXPECT_EQ(part->bytes, "3456");
    EXPECT_EQ(part->head.info.bytes, 10U);
    const auto copied = copy_object(*bucket_, "", {key, ""}, key.substr(0, 1000) + "copy");
    ASSERT_TRUE(copied) << key << ": " << copied.error().text();
    all.push_back({key, ""});
    all.push_back({key.substr(0, 1000) + "copy", ""});
    EXPECT_TRUE(presigned_url(*bucket_, "GET", key, "", 60s));
  }
  std::set<std::string> listed;
  auto store = open_s3_store(io::real_world(), options_, credentials()).value();
  MUST(store->list({}, [&](const ObjectInfo& found) -> Result<void> {
    listed.insert(found.key);
    return {};
  }));
  for (const auto& one : all) EXPECT_TRUE(listed.contains(one.key)) << one.key;
  const auto deleted = delete_objects(*bucket_, all);
  MUST(deleted);
  for (const auto& failure : deleted->failed) ADD_FAILURE() << failure.which.key << ": " << failure.code;
  MUST(bucket_->destroy());
}

TEST_F(BucketTest, ARangeEndsWithTheObjectAndNoticesItsChange) {
  put("k", "0123456789");
  const std::string etag = get_range(*bucket_, "k", "", 0, 1)->head.info.etag;
  EXPECT_EQ(get_range(*bucket_, "k", "", 8, 100, etag)->bytes, "89");
  EXPECT_EQ(get_range(*bucket_, "k", "", 10, 1, etag)->bytes, "");
  put("k", "another one");
  EXPECT_EQ(get_range(*bucket_, "k", "", 0, 4, etag).error().fault(), Fault::conflict);
  EXPECT_EQ(get_range(*bucket_, "absent", "", 0, 4).error().fault(), Fault::absent);
}

TEST_F(BucketTest, AnUploadInPartsIsFoundFinishedAndItsLeftoversRemoved) {
  const std::string large(5 << 20, 'x');
  const auto upload = begin_upload(*bucket_, "dir/large +\xc3\xbc", {"text/plain", {{"who", "me"}}});
  MUST(upload);
  const auto second = put_part(*bucket_, *upload, 2, "end");
  const auto first = put_part(*bucket_, *upload, 1, large);
  MUST(first);
  MUST(second);
  const auto parts = list_parts(*bucket_, *upload);
  MUST(parts);
  EXPECT_EQ(*parts, (std::vector<UploadPart>{*first, *second}));
  const auto begun = list_uploads(*bucket_, "dir/");
  MUST(begun);
  ASSERT_EQ(begun->size(), 1U);
  EXPECT_EQ(begun->at(0).key, upload->key);
  MUST(complete_upload(*bucket_, *upload, {*second, *first}));
  EXPECT_EQ(get_range(*bucket_, upload->key, "", large.size() - 1, 10)->bytes, "xend");
  const auto left = begin_upload(*bucket_, "left");
  MUST(left);
  MUST(abort_upload(*bucket_, *left));
  MUST(abort_upload(*bucket_, *left));
  EXPECT_TRUE(list_uploads(*bucket_, "")->empty());
  EXPECT_EQ(list_parts(*bucket_, *left).error().fault(), Fault::absent);
}

TEST_F(BucketTest, ManyObjectsAreDeletedInBatches) {
  std::vector<KeyVersion> all;
  for (int i = 0; i < 1003; ++i) all.push_back({fmt::format("absent/{}", i), ""});
  put("absent/7", "there after all");
  const auto deleted = delete_objects(*bucket_, all);
  MUST(deleted);
  EXPECT_EQ(deleted->done.size(), 1003U);
  EXPECT_TRUE(deleted->failed.empty());
}

TEST_F(BucketTest, TheAccountsBucketsAreListed) {
  S3Options options = options_;
  options.bucket.clear();
  const auto account = list_buckets(*opened(options));
  MUST(account);
  EXPECT_TRUE(std::any_of(account->buckets.begin(), account->buckets.end(),
                          [&](const auto& one) { return one.name == bucket_->name(); }));
  EXPECT_FALSE(account->owner.empty());
}

TEST_F(BucketTest, APresignedUrlNeedsNoCredentials) {
  put("a b+c", "presigned");
  const std::string url = presigned_url(*bucket_, "GET", "a b+c", "", 60s).value();
  io::HttpOptions http;
  http.ca_file = options_.ca_file;
  http.plain_http = options_.insecure;
  const auto client = io::HttpClient::make(http).value();
  const auto answer = client->send({.method = "GET", .url = url, .headers = {}, .body = {}});
  MUST(answer);
  EXPECT_EQ(answer->body, "presigned") << answer->status;
  EXPECT_EQ(client->send({.method = "GET", .url = url + "0", .headers = {}, .body = {}})->status, 403);
}

class CephBench final : public BucketBench {
 public:
  explicit CephBench(S3Options options) : s3_bucket_(opened(options)) {
    EXPECT_TRUE(s3_bucket_->create({}));
    EXPECT_TRUE(s3_bucket_->write(Setting::versioning, format_versioning(true)));
    bucket_ = object_bucket(*s3_bucket_);
  }
  ObjectBucket& bucket() override { return *bucket_; }

 private:
  std::unique_ptr<S3Bucket> s3_bucket_;
  std::unique_ptr<ObjectBucket> bucket_;
};
std::unique_ptr<BucketBench> bench_by_path() { return std::make_unique<CephBench>(options_for(new_bucket_name())); }
std::unique_ptr<BucketBench> bench_by_virtual_host() {
  S3Options options = options_for(new_bucket_name());
  options.addressing = S3Options::Addressing::virtual_host;
  return std::make_unique<CephBench>(std::move(options));
}

INSTANTIATE_TEST_SUITE_P(Path, ObjectBucketContract, ::testing::Values(&bench_by_path));
INSTANTIATE_TEST_SUITE_P(VirtualHost, ObjectBucketContract, ::testing::Values(&bench_by_virtual_host));

}  // namespace
}  // namespace enclave::cloud
