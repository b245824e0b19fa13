#include "cloud/s3_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace enclave::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BucketPolicy must_parse(std::string_view json) {
  auto policy = BucketPolicy::parse(json);
  EXPECT_TRUE(policy) << policy.error().text();
  return policy ? *policy : BucketPolicy();
}

BucketPolicy with_statement(std::string_view members) {
  return must_parse(fmt::format(R"({{"Version":"2012-10-17","Statement":[{{{}}}]}})", members));
}

TEST(Policy, IsReadInAllItsSpellings) {
  const auto policy = must_parse(R"({"Id": "x", "Statement": {"Sid": "s", "Effect": "Deny",
      "Principal": {"AWS": ["arn:aws:iam:::user/a", "*"]}, "Action": "s3:*", "Resource": ["r1", "r2"],
      "Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"s3:max-keys": ["10", 5]}}}})");
  ASSERT_EQ(policy.statements().size(), 1U);
  const auto& one = policy.statements()[0];
  EXPECT_EQ(one.sid, "s");
  EXPECT_FALSE(one.allow);
  EXPECT_TRUE(one.for_everybody());
  EXPECT_THAT(one.principals, ElementsAre("arn:aws:iam:::user/a", "*"));
  EXPECT_THAT(one.actions, ElementsAre("s3:*"));
  EXPECT_THAT(one.resources, ElementsAre("r1", "r2"));
  EXPECT_THAT(one.conditions, ElementsAre(PolicyCondition{"Bool", "aws:SecureTransport", {"false"}},
                                          PolicyCondition{"NumericLessThan", "s3:max-keys", {"10", "5"}}));
}

TEST(Policy, PublicIsWhatLetsEverybodyInWhateverTheConditionSays) {
  const auto is_public = [](std::string_view members) { return with_statement(members).is_public(); };
  EXPECT_TRUE(is_public(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"r")"));
  EXPECT_TRUE(is_public(R"("Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"r")"));
  EXPECT_TRUE(is_public(R"("Effect":"Allow","NotPrincipal":{"AWS":"a"},"Action":"s3:GetObject","Resource":"r")"));
  EXPECT_TRUE(is_public(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"r",
                           "Condition":{"Bool":{"aws:SecureTransport":"true"}})"));
  EXPECT_TRUE(is_public(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"r",
                           "Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_TRUE(is_public(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"r",
                           "Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/0"]}})"));
  EXPECT_FALSE(is_public(R"("Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"r",
                            "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_FALSE(is_public(R"("Effect":"Allow","Principal":{"AWS":"arn:a"},"Action":"s3:*","Resource":"r")"));
  EXPECT_FALSE(is_public(R"("Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"r")"));
}

TEST(Policy, OurStatementIsPutInAndTheOthersStay) {
  const std::string_view theirs = R"({"Sid":"theirs","Effect":"Allow","Principal":{"AWS":"a"},"New":[1.5,{"x":null}]})";
  auto policy = must_parse(fmt::format(R"({{ "Version": "2008-10-17", "Id": "q\"x", "Statement": [ {} ] }})", theirs));
  ASSERT_TRUE(policy.set(R"({"Sid": "ours", "Effect": "Deny", "Principal": "*", "Action": "s3:*"})"));
  ASSERT_TRUE(policy.set(R"({"Sid": "ours", "Effect": "Deny", "Principal": "*", "Action": "s3:Put*"})"));
  EXPECT_EQ(policy.json(), fmt::format(R"({{"Version":"2008-10-17","Id":"q\"x","Statement":[{},)"
                                       R"({{"Sid":"ours","Effect":"Deny","Principal":"*","Action":"s3:Put*"}}]}})",
                                       theirs));
  EXPECT_EQ(must_parse(policy.json()).json(), policy.json());
  EXPECT_TRUE(policy.remove("ours"));
  EXPECT_FALSE(policy.remove("ours"));
  ASSERT_EQ(policy.statements().size(), 1U);
  EXPECT_EQ(policy.statements()[0].json, theirs);
}

TEST(Policy, AnEmptyOneIsAPolicyWithoutStatements) {
  EXPECT_TRUE(must_parse("{}").statements().empty());
  EXPECT_EQ(BucketPolicy().json(), R"({"Version":"2012-10-17","Statement":[]})");
}

TEST(Policy, WhatServersReadDifferentlyIsRefused) {
  for (const char* json :
       {"", "[]", "{", R"({"Statement":5})", R"({"Statement":[5]})", R"({"Statement":[{}]})",
        R"({"Statement":[{"Effect":"allow"}]})", R"({"Statement":[{"Effect":"Deny","Effect":"Allow"}]})",
        R"({"Statement":[],"Statement":[]})", R"({"Statement":[{"Effect":"Deny","Action":{}}]})",
        R"({"Statement":[{"Effect":"Deny","Condition":[]}]})", R"({"Statement":[{"Effect":"Deny","Sid":7}]})"}) {
    const auto policy = BucketPolicy::parse(json);
    ASSERT_FALSE(policy) << json;
    EXPECT_EQ(policy.error().fault(), Fault::corrupt) << json;
  }
  EXPECT_THAT(BucketPolicy::parse(R"({"Statement":[{"Effect":"Deny"},{"Effect":1}]})").error().text(),
              HasSubstr("statement 2"));
}

TEST(Policy, HasLimits) {
  EXPECT_EQ(BucketPolicy::parse(std::string(70'000, ' ')).error().fault(), Fault::limit);
  std::string deep = R"({"Statement":[{"Effect":"Deny","X":)" + std::string(100, '[') + std::string(100, ']') + "}]}";
  EXPECT_EQ(BucketPolicy::parse(deep).error().fault(), Fault::corrupt);
  std::string many = R"({"Statement":[{"Effect":"Deny"})";
  for (int i = 0; i < 200; ++i) many += R"(,{"Effect":"Deny"})";
  EXPECT_EQ(BucketPolicy::parse(many + "]}").error().fault(), Fault::limit);
  BucketPolicy policy;
  const auto large = fmt::format(R"({{"Sid":"s","Effect":"Deny","Action":"{}"}})", std::string(20'440, 'a'));
  EXPECT_EQ(policy.set(large).error().fault(), Fault::limit);
  EXPECT_TRUE(policy.statements().empty());
  EXPECT_EQ(policy.set(R"({"Effect":"Deny"})").error().fault(), Fault::invalid);
}

}  // namespace
}  // namespace enclave::cloud
