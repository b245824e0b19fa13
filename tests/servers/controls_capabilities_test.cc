// What the prober finds out about a real server.
#include <fstream>

#include "cloud/capabilities.h"
#include "cloud/s3_objects.h"
#include "controls_support.h"

namespace enclave::cloud {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Other tests probe the same server at the same time: only these canaries are ours.
std::vector<std::string>& canaries() {
  static std::vector<std::string> names;
  return names;
}

const Capabilities& probed() {
  static const Capabilities found = [] {
    const ProbeReach reach{[](const std::string& bucket) {
                             canaries().push_back(bucket);
                             return open_as_owner(bucket);
                           },
                           open_as_nobody, open_plainly};
    auto result = probe_capabilities(io::real_world(), reach, [](std::string_view title) {
      if (std::getenv("S3_TELL") != nullptr)
        std::printf("%s %s\n", format_time(io::real_world().clock.wall_ns()).substr(11, 12).c_str(),
                    std::string(title).c_str());
    });
    EXPECT_TRUE(result) << result.error().text();
    return result ? *result : Capabilities{};
  }();
  return found;
}

std::string evidence_of(std::string_view id) {
  for (const auto& capability : probed().all)
    if (capability.id == id) return capability.evidence;
  return "";
}

std::vector<std::string> buckets_of_owner() {
  const auto bucket = open_as_owner("any-bucket-name");
  EXPECT_TRUE(bucket);
  const auto account = list_buckets(**bucket);
  EXPECT_TRUE(account) << account.error().text();
  std::vector<std::string> names;
  if (account)
    for (const auto& one : account->buckets) {
      // Swift's lists of an account lag behind.
      const auto named = open_as_owner(one.name);
      EXPECT_TRUE(named);
      const auto head = (*named)->ask({.method = "HEAD"});
      if (head && head->response.status != 404) names.push_back(one.name);
    }
  return names;
}

// One line each: "id support".
std::string table_of(const Capabilities& capabilities) {
  std::string table;
  for (const auto& one : capabilities.all) table += fmt::format("{}: {}\n", one.id, name_of(one.support));
  return table;
}

TEST(Capabilities, AreFoundOutAsTheTableOfThisServerSays) {
  const std::string path =
      fmt::format("{}/tests/golden/capabilities/{}.txt", ENCLAVE_SOURCE_DIR, variable("S3_SERVER"));
  std::ifstream file(path);
  std::string wanted((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(table_of(probed()), wanted) << "the expected table is " << path;
}

TEST(Capabilities, CarryWhatWasSentAndAnswered) {
  EXPECT_THAT(evidence_of("versioning"), HasSubstr("?versioning"));
  for (const auto& capability : probed().all) {
    EXPECT_THAT(capability.evidence, Not(IsEmpty())) << capability.id;
    EXPECT_LE(capability.evidence.size(), 4096U) << capability.id;
    EXPECT_THAT(capability.evidence, Not(HasSubstr("ignature="))) << capability.id;
  }
}

TEST(Capabilities, LeaveNoCanaryBehind) {
  EXPECT_THAT(probed().left, IsEmpty());
  ASSERT_THAT(canaries(), Contains(HasSubstr("enclave-canary-")));
  const auto there = buckets_of_owner();
  for (const auto& canary : canaries()) EXPECT_THAT(there, Not(Contains(canary)));
}

TEST(Capabilities, AreTheSameAfterTheyWereWrittenAndReadBack) {
  const auto read = parse_capabilities(format_capabilities(probed()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(format_capabilities(*read), format_capabilities(probed()));
  EXPECT_EQ(read->all.size(), probed().all.size());
}

TEST(Capabilities, OfAServerThatRefusesTheKeysAreAnError) {
  const ProbeReach reach{[](const std::string& bucket) {
                           S3Credentials wrong = owners_credentials();
                           wrong.secret_key = crypto::Secret("wrong");
                           return S3Bucket::open(io::real_world(), options_for(bucket), std::move(wrong));
                         },
                         open_as_nobody, nullptr};
  const auto found = probe_capabilities(io::real_world(), reach, nullptr);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().fault(), Fault::denied) << found.error().text();
}

TEST(Canaries, OnlyBucketsWithTheirNameAreRemoved) {
  const std::string name = new_bucket_name();
  auto bucket = open_as_owner(name);
  ASSERT_TRUE(bucket);
  ASSERT_TRUE((*bucket)->create({}));
  const auto removed = remove_canary(**bucket);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().fault(), Fault::invalid);
  EXPECT_THAT(buckets_of_owner(), Contains(name));
  EXPECT_TRUE((*bucket)->destroy());
}

}  // namespace
}  // namespace enclave::cloud
