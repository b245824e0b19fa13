#include "cloud/s3_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/xml_reader.h"

namespace enclave::cloud {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Versioning, IsReadAndNeverSetIsTold) {
  EXPECT_EQ(parse_versioning_configuration(format_versioning(true))->state, Versioning::State::enabled);
  EXPECT_EQ(parse_versioning_configuration(format_versioning(false))->state, Versioning::State::suspended);
  EXPECT_EQ(parse_versioning_configuration("<VersioningConfiguration/>")->state, Versioning::State::never_set);
  EXPECT_TRUE(
      parse_versioning_configuration("<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"
                                     "</VersioningConfiguration>")
          ->mfa_delete);
}

TEST(Documents, AnotherDocumentIsNotTakenForTheOneAskedFor) {
  const char* const list = "<ListBucketResult><Name>b</Name></ListBucketResult>";
  EXPECT_EQ(parse_versioning_configuration(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_acl(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_public_access_block(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_object_lock(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_lifecycle(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_encryption(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_tagging(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_logging(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_policy_status(list).error().fault(), Fault::unsupported);
  EXPECT_EQ(parse_location(list).error().fault(), Fault::unsupported);
}

TEST(Documents, WhatCannotBeReadIsCorruptWithItsPlace) {
  const auto expect_corrupt = [](const auto& result, const char* place) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault(), Fault::corrupt);
    EXPECT_THAT(result.error().text(), HasSubstr(place));
  };
  expect_corrupt(parse_acl("<AccessControlPolicy><Owner>"), "at byte");
  expect_corrupt(parse_acl("<AccessControlPolicy/>"), "without an owner");
  expect_corrupt(parse_acl("<AccessControlPolicy><Owner><ID>o</ID></Owner><AccessControlList><Grant><Grantee/>"
                           "<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"),
                 "<Grant> at byte");
  expect_corrupt(
      parse_versioning_configuration("<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"),
      "<Status>");
  expect_corrupt(parse_lifecycle("<LifecycleConfiguration><Rule/></LifecycleConfiguration>"), "<Rule>");
  expect_corrupt(parse_object_lock("<ObjectLockConfiguration><Rule><DefaultRetention><Mode>COMPLIANCE</Mode>"
                                   "<Days>-1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"),
                 "<Days>");
  EXPECT_EQ(parse_acl(std::string(kDocumentBytesMax + 1, ' ')).error().fault(), Fault::limit);
}

// As Ceph 16 gives it.
constexpr const char* kCephAcl =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Owner><ID>tester</ID><DisplayName>tester</DisplayName></Owner><AccessControlList><Grant>"
    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">"
    "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant><Grant>"
    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>tester</ID>"
    "<DisplayName>tester</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
    "</AccessControlPolicy>";

TEST(Acl, TellsPublicSharedAndPrivateApart) {
  auto acl = parse_acl(kCephAcl).value();
  EXPECT_EQ(acl.owner, "tester");
  ASSERT_EQ(acl.grants.size(), 2U);
  EXPECT_EQ(acl.grants[0].grantee, Grant::Grantee::all_users);
  EXPECT_EQ(acl.grants[0].permission, "READ");
  EXPECT_TRUE(acl.is_public());
  EXPECT_FALSE(acl.is_private());
  acl.grants.erase(acl.grants.begin());
  EXPECT_TRUE(acl.is_private());
  acl.grants.push_back({Grant::Grantee::user, "friend", "", "READ"});
  EXPECT_FALSE(acl.is_private());
  EXPECT_FALSE(acl.is_public());
  acl.grants.back() = {Grant::Grantee::authenticated_users, "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
                       "", "WRITE"};
  EXPECT_TRUE(acl.is_public());
}

TEST(Acl, ComesBackAsItWasWritten) {
  AccessControl acl = parse_acl(kCephAcl).value();
  acl.grants.push_back({Grant::Grantee::other, "a&b@example.org", "", "READ_ACP"});
  acl.grants.push_back({Grant::Grantee::user, "<id>", "a name", "WRITE_ACP"});
  EXPECT_EQ(parse_acl(format_acl(acl)).value(), acl);
}

TEST(PublicAccessBlock, IsReadUnderBothOfItsNames) {
  const PublicAccessBlock block{true, false, true, true};
  EXPECT_EQ(parse_public_access_block(format_public_access_block(block)).value(), block);
  EXPECT_FALSE(block.all());
  EXPECT_TRUE(parse_public_access_block(
                  "<BlockPublicAccessBlockConfiguration><BlockPublicAcls>TRUE</BlockPublicAcls>"
                  "<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>"
                  "<RestrictPublicBuckets>true</RestrictPublicBuckets></BlockPublicAccessBlockConfiguration>")
                  ->all());
}

TEST(ObjectLock, ComesBackAsItWasWritten) {
  for (const ObjectLock& lock : {ObjectLock{}, ObjectLock{true}, ObjectLock{true, ObjectLock::Mode::governance, 30, 0},
                                 ObjectLock{true, ObjectLock::Mode::compliance, 0, 7}})
    EXPECT_EQ(parse_object_lock(format_object_lock(lock)).value(), lock);
  EXPECT_EQ((ObjectLock{true, ObjectLock::Mode::compliance, 0, 2}.retention_days()), 730U);
}

TEST(Lifecycle, OurRuleIsAddedAndTheOthersStayAsTheyWere) {
  constexpr const char* kTheirs =
      "<s:LifecycleConfiguration xmlns:s=\"http://s3.amazonaws.com/doc/2006-03-01/\"><s:Rule><s:ID>theirs</s:ID>"
      "<s:Filter><s:And><s:Prefix>p &amp; q/</s:Prefix><s:Tag><s:Key>k</s:Key><s:Value> v </s:Value></s:Tag></s:And>"
      "</s:Filter><s:Status>Enabled</s:Status><s:Transition><s:Days>30</s:Days><s:StorageClass>GLACIER"
      "</s:StorageClass></s:Transition></s:Rule></s:LifecycleConfiguration>";
  Lifecycle lifecycle = parse_lifecycle(kTheirs).value();
  ASSERT_EQ(lifecycle.rules.size(), 1U);
  EXPECT_FALSE(lifecycle.rules[0].plain);
  const std::string before = lifecycle.rules[0].xml;
  EXPECT_EQ(before,
            "<Rule><ID>theirs</ID><Filter><And><Prefix>p &amp; q/</Prefix><Tag><Key>k</Key><Value> v </Value></Tag>"
            "</And></Filter><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass>"
            "</Transition></Rule>");
  LifecycleRule ours;
  ours.id = "ours";
  ours.noncurrent_days = 90;
  ours.abort_upload_days = 7;
  ours.expired_delete_marker = true;
  lifecycle.set(ours);
  ours.noncurrent_days = 30;
  lifecycle.set(ours);
  const Lifecycle read = parse_lifecycle(format_lifecycle(lifecycle)).value();
  ASSERT_EQ(read.rules.size(), 2U);
  EXPECT_EQ(read.rules[0].xml, before);
  EXPECT_EQ(read.rules[1].id, "ours");
  EXPECT_EQ(read.rules[1].noncurrent_days, 30U);
  EXPECT_EQ(read.rules[1].abort_upload_days, 7U);
  EXPECT_TRUE(read.rules[1].expired_delete_marker);
  EXPECT_TRUE(read.rules[1].plain);
  EXPECT_TRUE(read.rules[1].enabled);
  EXPECT_FALSE(read.rules[1].expire_days);
}

TEST(Documents, SmallOnesComeBackAsTheyWereWritten) {
  const Encryption encryption{"aws:kms", "key-1"};
  EXPECT_EQ(parse_encryption(format_encryption(encryption)).value(), encryption);
  const Tags tags{{"k", "v"}, {"a<b", " x&y\n"}};
  EXPECT_EQ(parse_tagging(format_tagging(tags)).value(), tags);
  for (const Logging& logging : {Logging{}, Logging{true, "logs", "p/"}})
    EXPECT_EQ(parse_logging(format_logging(logging)).value(), logging);
  EXPECT_TRUE(parse_policy_status("<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>").value());
  EXPECT_EQ(parse_location("<LocationConstraint>default</LocationConstraint>").value(), "default");
  EXPECT_EQ(parse_location("<LocationConstraint/>").value(), "");
}

TEST(XmlText, WhatXmlCannotHoldIsKnown) {
  EXPECT_TRUE(xml_can_hold("a\n\t\r<&>\xc3\xbc"));
  EXPECT_FALSE(xml_can_hold("\x01"));
  EXPECT_FALSE(xml_can_hold("\xff"));
  EXPECT_EQ(xml_escaped("a\r\n<"), "a&#13;&#10;&lt;");
}

}  // namespace
}  // namespace enclave::cloud
