// The controls of buckets against a real Ceph: enforced from nothing, broken on purpose, found, mended, proven, undone.
#include "cloud/s3_documents.h"
#include "cloud/s3_xml.h"
#include "control/storage_policy.h"
#include "controls_bench.h"

namespace enclave::control {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kRecipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

std::string buckets(std::string_view lock = "governance") {
  return fmt::format(
      "  - {{name: $DATA, for: data, recipients: [{}], old_versions: 30d}}\n"
      "  - {{name: $LOGS, for: logs, retain: 2d, lock: {}}}\n",
      kRecipient, lock);
}
constexpr const char* kWriter = "  writer: file:$DIR/writer.keys\n";

std::string all_pass(const std::map<std::string, State>& states) {
  std::string others;
  for (const auto& [name, state] : states)
    if (state != State::pass && state != State::not_applicable) others += fmt::format("{}: {}\n", name, name_of(state));
  return others;
}

cloud::S3Request put(std::string_view query, std::string_view body, cloud::Pairs headers = {}) {
  return {.method = "PUT", .query = {{std::string(query), ""}}, .headers = std::move(headers), .body = body};
}

std::string public_policy(const std::string& bucket) {
  return fmt::format(R"({{"Version":"2012-10-17","Statement":[{{"Sid":"Open","Effect":"Allow","Principal":"*",)"
                     R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::{}/*"}}]}})",
                     bucket);
}

TEST(StorageControls, MakeBareBucketsSecureAndProveIt) {
  Enclave enclave(buckets(), kWriter);
  const Plan plan = enclave.plan();
  EXPECT_TRUE(plan.has_changes());
  EXPECT_FALSE(plan.has_unknown());
  const auto applied = enclave.apply();
  EXPECT_EQ(enclave.troubles(applied), "");
  EXPECT_FALSE(enclave.plan().has_changes());
  EXPECT_EQ(all_pass(enclave.audit_states()), "") << enclave.last();
  EXPECT_EQ(enclave.audit_states().at("storage.access_logged data"), State::not_applicable);
}

TEST(StorageControls, HoldTheLogByComplianceAndLeaveNoCanary) {
  Enclave enclave(buckets("compliance"), kWriter);
  EXPECT_EQ(enclave.troubles(enclave.apply()), "");
  EXPECT_EQ(all_pass(enclave.audit_states()), "") << enclave.last();
  const auto left = enclave.send(enclave.logs(), {.method = "GET", .query = {{"versions", ""}}});
  EXPECT_THAT(left.response.body, Not(HasSubstr("enclave-canary")));
}

TEST(StorageControls, FindEachPropertyThatWasBrokenBehindTheirBackAndMendIt) {
  Enclave enclave(buckets(), kWriter);
  ASSERT_EQ(enclave.troubles(enclave.apply()), "");
  const std::string data = enclave.data(), logs = enclave.logs();
  const std::string open = public_policy(data);
  const std::string usual =
      fmt::format(R"({{"Version":"2012-10-17","Statement":[{}]}})", tls_only_statement(data, {"Bool", "false"}));
  const auto unblock = [&] {
    enclave.must_send(data, put("publicAccessBlock", cloud::format_public_access_block({})));
  };
  const std::tuple<std::string, std::string, std::function<void()>> breaks[] = {
      {"storage.versioning", "data",
       [&] { enclave.must_send(data, put("versioning", cloud::format_versioning(false))); }},
      {"storage.private", "data", unblock},
      {"storage.private", "data",
       [&] {
         unblock();
         enclave.must_send(data, put("acl", "", {{"x-amz-acl", "public-read"}}));
       }},
      {"storage.private", "data",
       [&] {
         unblock();
         enclave.must_send(data, put("policy", open));
       }},
      {"storage.tls_only", "data",
       [&] {
         enclave.must_send(data, {.method = "DELETE", .query = {{"policy", ""}}});
       }},
      {"storage.tls_only", "data", [&] { enclave.must_send(data, put("policy", usual)); }},
      {"storage.retention", "logs",
       [&] { enclave.must_send(logs, put("object-lock", cloud::format_object_lock({.enabled = true}))); }},
      {"storage.separation", "logs",
       [&] {
         enclave.must_send(logs, {.method = "DELETE", .query = {{"policy", ""}}});
       }},
      {"storage.lifecycle", "data",
       [&] {
         enclave.must_send(data, {.method = "DELETE", .query = {{"lifecycle", ""}}});
       }},
  };
  for (const auto& [control, bucket, destroy] : breaks) {
    SCOPED_TRACE(control);
    destroy();
    EXPECT_EQ(enclave.state_of(control, bucket), State::fail) << enclave.last();
    EXPECT_TRUE(enclave.plan().has_changes());
    EXPECT_EQ(enclave.troubles(enclave.apply()), "");
    EXPECT_EQ(enclave.state_of(control, bucket), State::pass) << enclave.last();
  }
  EXPECT_EQ(all_pass(enclave.audit_states()), "") << enclave.last();
}

TEST(StorageControls, FindPlainObjectsAmongEncryptedOnes) {
  Enclave enclave(buckets());
  ASSERT_EQ(enclave.troubles(enclave.apply({"storage.exists"})), "");
  EXPECT_EQ(enclave.state_of("storage.encryption"), State::pass) << enclave.last();
  enclave.must_send(enclave.data(), {.method = "PUT", .key = "report.txt", .body = "plain"});
  EXPECT_EQ(enclave.state_of("storage.encryption"), State::fail);
  EXPECT_THAT(enclave.last(), HasSubstr("report.txt"));
}

TEST(StorageControls, MakeAnIdentityForADataBucketWithoutRecipientsAndSayThatItCannotBeUndone) {
  Enclave enclave("  - {name: $DATA, for: data}\n  - {name: $LOGS, for: logs}\n");
  const auto applied = enclave.apply();
  bool told = false;
  for (const auto& one : applied)
    if (one.item.control->id == "storage.encryption" && one.item.subject.name == enclave.data()) {
      EXPECT_EQ(one.outcome, Outcome::done);
      ASSERT_EQ(one.promised.size(), 1U);
      EXPECT_FALSE(one.promised[0].reversible);
      EXPECT_THAT(one.promised[0].after, HasSubstr("-identity.txt"));
      told = true;
    }
  EXPECT_TRUE(told);
  EXPECT_EQ(enclave.state_of("storage.encryption"), State::pass) << enclave.last();
  EXPECT_FALSE(enclave.plan().has_changes());
  EXPECT_EQ(enclave.state_of("storage.retention", "logs"), State::not_applicable);
  EXPECT_EQ(enclave.state_of("storage.separation", "logs"), State::inconclusive);
}

TEST(StorageControls, PlanANewBucketWhereTheLockIsMissingAndChangeNothing) {
  Enclave enclave(buckets());
  ASSERT_TRUE(enclave.owner(enclave.logs()).create({}));
  const Plan plan = enclave.plan({"storage.retention"});
  ASSERT_EQ(plan.items.size(), 2U);
  const Item& item = plan.items.back();
  EXPECT_EQ(item.finding.state, State::fail);
  EXPECT_THAT(item.finding.remedy, HasSubstr("new bucket"));
  EXPECT_THAT(item.steps, IsEmpty());
  EXPECT_EQ(enclave.state_of("storage.retention", "logs"), State::fail) << enclave.last();
  EXPECT_THAT(enclave.last(), HasSubstr("deleting an object of this bucket: fail"));
}

TEST(StorageControls, MendHalfMadeBucketsAndKeepForeignStatements) {
  Enclave enclave(buckets());
  const std::string data = enclave.data();
  ASSERT_TRUE(enclave.owner(data).create({}));
  const std::string foreign =
      fmt::format(R"({{"Version":"2012-10-17","Statement":[{{"Sid":"Bob","Effect":"Allow","Principal":{{"AWS":)"
                  R"("arn:aws:iam:::user/bob"}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{}/shared/*"}}]}})",
                  data);
  enclave.must_send(data, put("policy", foreign));
  enclave.must_send(data, put("versioning", cloud::format_versioning(false)));
  EXPECT_EQ(enclave.troubles(enclave.apply()),
            "storage.separation of " + enclave.logs() + ": needs_user  no second identity is configured\n");
  const auto policy = enclave.owner(data).read(cloud::Setting::policy);
  ASSERT_TRUE(policy);
  EXPECT_THAT(*policy, HasSubstr("\"Bob\""));
  EXPECT_THAT(*policy, HasSubstr("EnclaveTlsOnly"));
  // And back: what was there before, byte for byte in meaning.
  EXPECT_EQ(enclave.undo(), "");
  EXPECT_THAT(*enclave.owner(data).read(cloud::Setting::policy), Not(HasSubstr("EnclaveTlsOnly")));
  EXPECT_THAT(*enclave.owner(data).read(cloud::Setting::versioning), HasSubstr("Suspended"));
  const auto acl = enclave.owner(data).read(cloud::Setting::public_access_block);
  ASSERT_TRUE(acl);
  EXPECT_FALSE(cloud::parse_public_access_block(*acl)->block_public_acls);
  // The log bucket was made by us and is empty.
  EXPECT_EQ(*enclave.owner(enclave.logs()).ownership(), cloud::Ownership::absent);
}

TEST(StorageControls, UndoRestoresAPublicBucketAndTheAuditFindsItAgain) {
  Enclave enclave(buckets());
  const std::string data = enclave.data();
  ASSERT_TRUE(enclave.owner(data).create({}));
  ASSERT_TRUE(enclave.owner(enclave.logs()).create({}));
  enclave.must_send(data, put("acl", "", {{"x-amz-acl", "public-read"}}));
  const std::string open = public_policy(data);
  enclave.must_send(data, put("policy", open));
  EXPECT_EQ(enclave.state_of("storage.private"), State::fail);
  EXPECT_EQ(enclave.troubles(enclave.apply({"storage.private"})), "");
  EXPECT_EQ(enclave.state_of("storage.private"), State::pass) << enclave.last();
  EXPECT_EQ(enclave.undo(), "");
  EXPECT_EQ(enclave.state_of("storage.private"), State::fail);
  EXPECT_THAT(enclave.last(), HasSubstr("unsigned GET of the canary: fail"));
  EXPECT_THAT(enclave.last(), HasSubstr("unsigned list of the bucket: fail"));
}

TEST(StorageControls, LeaveABucketOfSomebodyElseAlone) {
  Enclave enclave(buckets(), "  other: file:$DIR/writer.keys\n");
  ASSERT_TRUE(enclave.as(As::other, enclave.data()).create({}));
  const auto applied = enclave.apply();
  for (const auto& one : applied) {
    if (one.item.subject.name != enclave.data()) continue;
    EXPECT_NE(one.outcome, Outcome::done) << one.item.control->id;
    EXPECT_THAT(one.changes, IsEmpty()) << one.item.control->id;
  }
  EXPECT_EQ(enclave.state_of("storage.exists"), State::fail) << enclave.last();
  EXPECT_TRUE(enclave.as(As::other, enclave.data()).destroy());
}

TEST(StorageControls, DoNotRemoveABucketThatHasSomethingInIt) {
  Enclave enclave(buckets());
  ASSERT_EQ(enclave.troubles(enclave.apply({"storage.exists"})), "");
  enclave.must_send(enclave.data(), {.method = "PUT", .key = "kept", .body = "x"});
  EXPECT_THAT(enclave.undo(), HasSubstr("not empty"));
  EXPECT_EQ(*enclave.owner(enclave.data()).ownership(), cloud::Ownership::ours);
}

}  // namespace
}  // namespace enclave::control
