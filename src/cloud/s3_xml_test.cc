#include "cloud/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "cloud/s3_errors.h"

namespace enclave::cloud {
namespace {

TEST(S3Xml, AListOfObjectsIsRead) {
  const auto page = parse_objects(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>a/</Prefix>
<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>a+%2F=</NextContinuationToken>
<Contents><Key>a/b+c%2Bd%20%C3%BC&amp;</Key><LastModified>2026-11-23T09:26:33.250Z</LastModified>
<ETag>&quot;0cc1&quot;</ETag><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>)")
                        .value();
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].key, "a/b c+d \xc3\xbc&");
  EXPECT_EQ(page.entries[0].bytes, 5U);
  EXPECT_EQ(page.entries[0].etag, "0cc1");
  EXPECT_EQ(page.entries[0].modified_ns, parse_time("2026-11-23T09:26:33.25Z").value());
  EXPECT_TRUE(page.truncated);
  EXPECT_EQ(page.next_token, "a+%2F=") << "a token is the server's, and goes back as it came";
}

TEST(S3Xml, WithoutEncodingTypeAKeyIsTakenAsItStands) {
  const auto page = parse_objects(
      "<ListBucketResult><Contents><Key>a+b%20</Key><Size>0</Size><LastModified>2026-11-23T09:26:33Z</LastModified>"
      "</Contents></ListBucketResult>");
  EXPECT_EQ(page.value().entries.at(0).key, "a+b%20");
}

TEST(S3Xml, VersionsAndMarkersKeepTheirOrder) {
  const std::string time = "<s3:LastModified>2026-11-23T09:26:33Z</s3:LastModified>";
  const auto page =
      parse_versions(
          "<s3:ListVersionsResult xmlns:s3=\"urn:x\"><s3:EncodingType>url</s3:EncodingType>"
          "<s3:NextKeyMarker>k%2F1</s3:NextKeyMarker><s3:NextVersionIdMarker>v1</s3:NextVersionIdMarker>"
          "<s3:IsTruncated>true</s3:IsTruncated>"
          "<s3:DeleteMarker><s3:Key>a</s3:Key><s3:VersionId>v2</s3:VersionId><s3:IsLatest>true</s3:IsLatest>" +
          time +
          "</s3:DeleteMarker>"
          "<s3:Version><s3:Key>a</s3:Key><s3:VersionId>null</s3:VersionId><s3:IsLatest>false</s3:IsLatest>"
          "<s3:Size>1</s3:Size>" +
          time +
          "</s3:Version>"
          "<s3:Version><s3:Key>b</s3:Key><s3:VersionId>null</s3:VersionId><s3:IsLatest>true</s3:IsLatest>"
          "<s3:Size>1</s3:Size>" +
          time + "</s3:Version></s3:ListVersionsResult>")
          .value();
  ASSERT_EQ(page.entries.size(), 3U);
  EXPECT_TRUE(page.entries[0].delete_marker && page.entries[0].latest);
  EXPECT_EQ(page.entries[0].version, "v2");
  EXPECT_EQ(page.entries[1].version, "null") << "an old version from before versioning can only be had by this name";
  EXPECT_EQ(page.entries[2].version, "");
  EXPECT_EQ(page.next_key, "k/1");
  EXPECT_EQ(page.next_version, "v1");
}

TEST(S3Xml, AnErrorIsReadAndAnythingElseIsNone) {
  const S3Error error = parse_error(
      "<Error><Code>NoSuchKey</Code><Message>gone</Message><Resource>/b/k</Resource><RequestId>tx</RequestId></Error>");
  EXPECT_EQ(error.code, "NoSuchKey");
  EXPECT_EQ(error.message, "gone");
  EXPECT_EQ(error.resource, "/b/k");
  EXPECT_EQ(error.request_id, "tx");
  for (const char* other : {"", "<html><Code>x</Code></html>", "<Error", "plain"})
    EXPECT_EQ(parse_error(other).code, "");
  EXPECT_LE(parse_error("<Error><Code>" + std::string(100'000, 'x') + "</Code></Error>").code.size(), 1024U);
}

TEST(S3Xml, EntitiesOfADocumentTypeAreNotExpanded) {
  const auto page = parse_objects(
      R"(<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><ListBucketResult><Contents><Key>&b;</Key>)"
      R"(<Size>0</Size><LastModified>2026-11-23T09:26:33Z</LastModified></Contents></ListBucketResult>)");
  EXPECT_EQ(page.value().entries.at(0).key, "&b;");
}

TEST(S3Xml, DeepNestingIsNoDanger) {
  std::string xml;
  for (int i = 0; i < 200'000; ++i) xml += "<a>";
  EXPECT_FALSE(parse_objects(xml));
  for (int i = 0; i < 200'000; ++i) xml += "</a>";
  EXPECT_FALSE(parse_objects(xml));
}

TEST(S3Xml, VersioningIsOnOnlyWhenItSaysSo) {
  EXPECT_TRUE(parse_versioning("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>").value());
  EXPECT_FALSE(
      parse_versioning("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>").value());
  EXPECT_FALSE(parse_versioning("<VersioningConfiguration/>").value());
  EXPECT_EQ(parse_versioning("<ListBucketResult/>").error().fault(), Fault::unsupported);
}

TEST(S3Errors, TheCodeCountsBeforeTheStatus) {
  EXPECT_EQ(fault_of(400, "RequestTimeout"), Fault::busy);
  EXPECT_EQ(fault_of(409, "OperationAborted"), Fault::busy);
  EXPECT_EQ(fault_of(400, "NoSuchVersion"), Fault::absent);
  EXPECT_EQ(fault_of(409, "NeverHeardOfIt"), Fault::conflict);
  EXPECT_EQ(fault_of(599, ""), Fault::busy);
  EXPECT_EQ(fault_of(418, ""), Fault::invalid);
}

TEST(S3Errors, HttpDatesAreRead) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").value(), parse_time("1994-11-06T08:49:37Z").value());
  for (const char* text : {"", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

TEST(S3Xml, TheNextPageOfVersionsBeginsBehindTheLastOneWhateverSwiftSays) {
  const auto page = parse_versions(
      "<ListVersionsResult><NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"
      "<IsTruncated>true</IsTruncated><Version><Key>k</Key><VersionId>1795455362.77833</VersionId>"
      "<IsLatest>false</IsLatest><LastModified>2026-11-23T17:36:03.000Z</LastModified><Size>1</Size></Version>"
      "</ListVersionsResult>");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(page->next_version, "1795455362.77833");
}

}  // namespace
}  // namespace enclave::cloud
