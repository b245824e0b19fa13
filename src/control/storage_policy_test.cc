#include "control/storage_policy.h"

#include <gmock/gmock.h>

namespace enclave::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr TlsCondition kIfExists{"BoolIfExists", "false"};
constexpr TlsCondition kBool{"Bool", "false"};

constexpr std::string_view kForeign =
    R"({"Version":"2008-10-17","Id":"mine","Statement":{"Sid":"Keep","Effect":"Allow","Principal":{"AWS":)"
    R"("arn:aws:iam:::user/bob"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}})";

cloud::BucketPolicy parsed(std::string_view document) {
  auto policy = policy_of(document);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy ? *policy : cloud::BucketPolicy();
}

cloud::PolicyStatement only_statement(std::string_view statement) {
  const auto policy = parsed(fmt::format("{{\"Statement\":[{}]}}", statement));
  EXPECT_EQ(policy.statements().size(), 1U);
  return policy.statements().empty() ? cloud::PolicyStatement{} : policy.statements().front();
}

TEST(StoragePolicy, KeepsForeignStatementsAndMembersWhenOursIsAdded) {
  std::string policy(kForeign);
  for (int i = 0; i < 3; ++i) {
    const auto merged = with_statement(policy, tls_only_statement("b", kIfExists));
    ASSERT_TRUE(merged) << merged.error().text();
    policy = *merged;
  }
  EXPECT_THAT(policy, HasSubstr(R"("Version":"2008-10-17","Id":"mine")"));
  EXPECT_THAT(policy, HasSubstr(R"({"Sid":"Keep","Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/bob"},)"));
  ASSERT_EQ(parsed(policy).statements().size(), 2U);
  EXPECT_TRUE(is_tls_only(parsed(policy).statements()[1], "b", kIfExists));
}

TEST(StoragePolicy, ATlsStatementCountsOnlyInTheProvenForm) {
  const auto usual = only_statement(tls_only_statement("b", kBool));
  EXPECT_TRUE(is_tls_only(usual, "b", kBool));
  EXPECT_FALSE(is_tls_only(usual, "b", kIfExists));
  EXPECT_FALSE(is_tls_only(usual, "another", kBool));
}

TEST(StoragePolicy, ATlsStatementForOneActionOneObjectOrSomePeopleDoesNotCount) {
  const auto altered = [](std::string_view from, std::string_view to) {
    std::string text = tls_only_statement("b", kBool);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return only_statement(text);
  };
  EXPECT_FALSE(is_tls_only(altered("\"s3:*\"", "\"s3:GetObject\""), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("\"arn:aws:s3:::b\",", ""), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("\"Principal\":\"*\"", "\"Principal\":{\"AWS\":\"x\"}"), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("\"Principal\"", "\"NotPrincipal\""), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("\"Deny\"", "\"Allow\""), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("}}}", "},\"StringEquals\":{\"aws:userid\":\"x\"}}}"), "b", kBool));
  EXPECT_FALSE(is_tls_only(altered("\"Action\"", "\"NotAction\""), "b", kBool));
}

TEST(StoragePolicy, LosesItsPublicStatementsOnlyNamedOrNot) {
  constexpr std::string_view kMixed =
      R"({"Id":"x","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"open"},)"
      R"({"Effect":"Allow","Principal":{"AWS":"bob"},"Action":"*","Resource":"*"},)"
      R"({"Sid":"Open","Effect":"Allow","Principal":{"AWS":["*"]},"Action":"*","Resource":"open"},)"
      R"({"Sid":"Deny","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]})";
  const auto closed = without_public(kMixed);
  ASSERT_TRUE(closed);
  EXPECT_EQ(*closed, R"({"Id":"x","Statement":[{"Effect":"Allow","Principal":{"AWS":"bob"},"Action":"*","Resource":)"
                     R"("*"},{"Sid":"Deny","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]})");
}

TEST(StoragePolicy, WithoutAnyStatementIsNoDocument) {
  const auto closed =
      without_public(R"({"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]})");
  ASSERT_TRUE(closed);
  EXPECT_EQ(*closed, "");
  EXPECT_EQ(show_policy(""), "");
}

}  // namespace
}  // namespace enclave::control
