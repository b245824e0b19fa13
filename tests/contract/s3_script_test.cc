// What the S3 store does with servers that fail, lie, or know less than they should.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cloud/s3_store.h"
#include "contract/scripted_server.h"
#include "io/system.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Request = ScriptedServer::Request;

S3Options options_for(const ScriptedServer& server) {
  S3Options options;
  options.endpoint = server.url();
  options.bucket = "bucket";
  options.insecure = true;
  options.retry_pause = 1ms;
  options.retry_for = 5s;
  return options;
}

std::unique_ptr<ObjectStore> opened(S3Options options) {
  return open_s3_store(io::real_world(), std::move(options), {"AK", crypto::Secret("SK"), {}}).value();
}

std::string said(int status, std::string_view body, std::string_view headers = "") {
  return ScriptedServer::answer(status, body, headers);
}
std::string error(int status, std::string_view code) {
  return said(status, fmt::format("<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>m</Message>"
                                  "<Resource>/bucket/k</Resource><RequestId>tx1</RequestId></Error>",
                                  code));
}

TEST(S3Script, ABusyServerIsAskedAgain) {
  int count = 0;
  ScriptedServer server([&](const Request&) {
    switch (++count) {
      case 1:
        return error(503, "SlowDown");
      case 2:
        return error(400, "RequestTimeout");
      case 3:
        return std::string();
      default:
        return said(200, "", "x-amz-version-id: v7\r\n");
    }
  });
  EXPECT_EQ(opened(options_for(server))->put("k", "x").value(), "v7");
  EXPECT_EQ(server.requests().size(), 4U);
  for (const auto& request : server.requests()) EXPECT_THAT(request.head, HasSubstr("authorization: AWS4-HMAC-SHA256"));
}

TEST(S3Script, PatienceEnds) {
  ScriptedServer server([&](const Request&) { return error(500, "InternalError"); });
  S3Options options = options_for(server);
  options.retry_for = 50ms;
  const auto put = opened(options)->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::busy);
  EXPECT_THAT(put.error().text(), HasSubstr("PUT k: 500 InternalError (m), request tx1, resource /bucket/k"));
}

TEST(S3Script, WhatIsNotBusyIsSaidAtOnce) {
  ScriptedServer server([&](const Request&) { return error(403, "AccessDenied"); });
  EXPECT_EQ(opened(options_for(server))->put("k", "x").error().fault(), Fault::denied);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(S3Script, TheStatusDecidesWhereAProxyAnswers) {
  const std::vector<std::pair<int, Fault>> cases = {
      {301, Fault::invalid},  {400, Fault::invalid}, {401, Fault::denied},
      {403, Fault::denied},   {404, Fault::absent},  {405, Fault::unsupported},
      {409, Fault::conflict}, {413, Fault::limit},   {501, Fault::unsupported}};
  for (const auto& [status, fault] : cases) {
    ScriptedServer server([status = status](const Request&) { return said(status, "<html>no</html>"); });
    EXPECT_EQ(opened(options_for(server))->get("k", "", 10).error().fault(), fault) << status;
  }
}

TEST(S3Script, PutIfAbsentIsNotRepeatedWhenItMayHaveHappened) {
  for (const bool may_have : {true, false}) {
    int puts = 0;
    ScriptedServer server([&](const Request& request) {
      if (request.method == "HEAD") return said(404, "");
      if (++puts == 1) return may_have ? error(500, "InternalError") : error(503, "SlowDown");
      return puts == 2 ? said(200, "") : error(412, "PreconditionFailed");
    });
    const auto put = opened(options_for(server))->put_if_absent("k", "x");
    EXPECT_EQ(put.has_value(), !may_have);
    EXPECT_EQ(puts, may_have ? 1 : 3);
    EXPECT_TRUE(put.has_value() || put.error().fault() == Fault::busy);
  }
}

/// A versioned bucket of one key with a clock of its own, which refuses or ignores If-None-Match.
class Bucket {
 public:
  explicit Bucket(bool refuses, bool versioned = true) : refuses_(refuses), versioned_(versioned) {}

  std::string operator()(const Request& request) {
    const auto version = request.target.find("versionId=");
    if (request.target.find("?versioning") != std::string::npos)
      return said(200, fmt::format("<VersioningConfiguration><Status>{}</Status></VersioningConfiguration>",
                                   versioned_ ? "Enabled" : "Suspended"));
    if (request.method == "GET") return said(200, listing());
    if (request.method == "HEAD") return versions_.empty() || hidden_ ? said(404, "") : said(200, "");
    if (request.method == "DELETE" && version != std::string::npos) {
      std::erase(versions_, request.target.substr(version + 10));
      return said(204, "");
    }
    if (request.method != "PUT") return error(400, "InvalidRequest");
    if (refuses_ && request.head.find("if-none-match: *") != std::string::npos) return error(501, "NotImplemented");
    versions_.insert(versions_.begin(), fmt::format("v{}", ++next_));
    return said(200, "", fmt::format("x-amz-version-id: {}\r\n", versions_[0]));
  }

  /// Another writer was between our look and our put.
  void hide_first() {
    versions_ = {"theirs"};
    hidden_ = true;
  }
  const std::vector<std::string>& versions() const { return versions_; }

 private:
  std::string listing() const {
    std::string xml = "<ListVersionsResult>";
    for (const auto& version : versions_)
      xml += fmt::format(
          "<Version><Key>k</Key><VersionId>{}</VersionId><IsLatest>{}</IsLatest><Size>1</Size>"
          "<LastModified>2026-11-23T09:26:33.000Z</LastModified></Version>",
          version, version == versions_[0]);
    return xml + "</ListVersionsResult>";
  }

  bool refuses_;
  bool versioned_;
  bool hidden_ = false;
  int next_ = 0;
  std::vector<std::string> versions_;
};

TEST(S3Script, AServerWithoutConditionsIsFoundOutAndVersionsDecide) {
  for (const bool refuses : {true, false}) {
    Bucket bucket(refuses);
    ScriptedServer server([&](const Request& request) { return bucket(request); });
    const auto store = opened(options_for(server));
    EXPECT_EQ(store->put_if_absent("k", "x").value(), "v1") << refuses;
    EXPECT_THAT(bucket.versions(), ::testing::ElementsAre("v1")) << "the second put of the trial is gone";
    EXPECT_EQ(store->put_if_absent("k", "y").error().fault(), Fault::conflict);
  }
}

TEST(S3Script, WhoeverWasFirstStaysAndOursGoes) {
  for (const bool refuses : {true, false}) {
    Bucket bucket(refuses);
    bucket.hide_first();
    ScriptedServer server([&](const Request& request) { return bucket(request); });
    const auto put = opened(options_for(server))->put_if_absent("k", "ours");
    ASSERT_FALSE(put) << refuses;
    EXPECT_EQ(put.error().fault(), Fault::conflict) << put.error().text();
    EXPECT_THAT(bucket.versions(), ::testing::ElementsAre("theirs"));
  }
}

TEST(S3Script, WithoutConditionsAndWithoutVersionsNothingIsWritten) {
  Bucket bucket(true, false);
  ScriptedServer server([&](const Request& request) { return bucket(request); });
  const auto put = opened(options_for(server))->put_if_absent("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::unsupported);
  EXPECT_THAT(put.error().text(), HasSubstr("versioning"));
  EXPECT_TRUE(bucket.versions().empty());
}

std::string entry(std::string_view key) {
  return fmt::format(
      "<Contents><Key>{}</Key><Size>1</Size><LastModified>2026-11-23T09:26:33Z</LastModified></Contents>", key);
}

TEST(S3Script, AListThatCannotBeTrustedIsRefused) {
  const std::string begin = "<ListBucketResult>", end = "</ListBucketResult>";
  const std::string more = "<IsTruncated>true</IsTruncated>";
  const std::vector<std::pair<std::string, Fault>> cases = {
      {begin + entry("b") + entry("a") + end, Fault::corrupt},
      {begin + more + entry("a") + end, Fault::corrupt},
      {begin + more + "<NextContinuationToken>same</NextContinuationToken>" + end, Fault::corrupt},
      {begin + "<Contents><Key>a</Key></Contents>" + end, Fault::corrupt},
      {begin, Fault::corrupt},
      {"", Fault::corrupt},
      {"{\"json\": 1}", Fault::corrupt},
      {"<ListVersionsResult/>", Fault::unsupported},
      {begin + std::string(17 << 20, ' ') + end, Fault::limit}};
  for (const auto& [xml, fault] : cases) {
    ScriptedServer server([xml = &xml](const Request&) { return said(200, *xml); });
    const auto listed = opened(options_for(server))->list({}, [](const ObjectInfo&) -> Result<void> { return {}; });
    ASSERT_FALSE(listed) << xml.substr(0, 80);
    EXPECT_EQ(listed.error().fault(), fault) << xml.substr(0, 80);
  }
}

TEST(S3Script, OpeningAsksNobodyAndADeleteNeverNamesTheBucket) {
  ScriptedServer server([](const Request&) { return said(204, ""); });
  const auto store = opened(options_for(server));
  EXPECT_TRUE(server.requests().empty());
  EXPECT_EQ(store->remove("", "").error().fault(), Fault::invalid);
  EXPECT_EQ(store->remove("", "v").error().fault(), Fault::invalid);
  EXPECT_TRUE(server.requests().empty());
}

TEST(S3Script, ASessionTokenIsSentAndSigned) {
  ScriptedServer server([](const Request&) { return said(200, ""); });
  auto store =
      open_s3_store(io::real_world(), options_for(server), {"AK", crypto::Secret("SK"), crypto::Secret("TOK")});
  ASSERT_TRUE((*store)->put("k", "x"));
  const std::string head = server.requests().at(0).head;
  EXPECT_THAT(head, HasSubstr("x-amz-security-token: TOK"));
  EXPECT_THAT(head, HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
}

TEST(S3Script, OptionsThatCannotWorkAreNamed) {
  ScriptedServer server([](const Request&) { return said(200, ""); });
  const auto open_with = [&](const std::function<void(S3Options&)>& change) {
    S3Options options = options_for(server);
    change(options);
    const auto store = open_s3_store(io::real_world(), options, {"AK", crypto::Secret("SK"), {}});
    EXPECT_FALSE(store);
    return store ? std::string() : store.error().text();
  };
  EXPECT_THAT(open_with([](auto& o) { o.endpoint = "objects.example.org"; }), HasSubstr("https://HOST"));
  EXPECT_THAT(open_with([](auto& o) { o.endpoint = "https://h/path"; }), HasSubstr("nothing behind it"));
  EXPECT_THAT(open_with([](auto& o) { o.endpoint = "https://u:p@h"; }), HasSubstr("nothing behind it"));
  EXPECT_THAT(open_with([](auto& o) { o.insecure = false; }), HasSubstr("plain http"));
  EXPECT_THAT(open_with([](auto& o) { o.bucket = "a/b"; }), HasSubstr("name of a bucket"));
  EXPECT_THAT(open_with([](auto& o) { o.bucket = ".."; }), HasSubstr("name of a bucket"));
  EXPECT_THAT(open_with([](auto& o) { o.region = "eu west"; }), HasSubstr("region"));
  EXPECT_FALSE(open_s3_store(io::real_world(), options_for(server), {"", crypto::Secret("SK"), {}}));
  EXPECT_FALSE(open_s3_store(io::real_world(), options_for(server), {"AK", {}, {}}));
}

}  // namespace
}  // namespace enclave::cloud
