// What the S3 store does with servers that fail, lie, or know less than they should.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cloud/retry_budget.h"
#include "cloud/s3_bucket.h"
#include "cloud/s3_endpoint.h"
#include "cloud/s3_objects.h"
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

std::unique_ptr<S3Bucket> bucket_of(S3Options options) {
  return S3Bucket::open(io::real_world(), std::move(options), {"AK", crypto::Secret("SK"), {}}).value();
}

std::string refusal(std::string_view endpoint, std::string_view bucket) {
  S3Options options;
  options.endpoint = endpoint;
  options.bucket = bucket;
  options.insecure = true;
  const auto opened = S3Bucket::open(io::real_world(), options, {"AK", crypto::Secret("SK"), {}});
  return opened ? "accepted" : opened.error().text();
}

TEST(S3BadInput, NamesThatServersRefuseAreRefusedFirstAndAnotherIsProposed) {
  const auto name = [](std::string_view bucket) { return refusal("https://h", bucket); };
  EXPECT_THAT(name("my_bucket"), HasSubstr("underscore"));
  EXPECT_THAT(name("my_bucket"), HasSubstr("such as \"my-bucket\""));
  EXPECT_THAT(name("MyBucket"), HasSubstr("such as \"mybucket\""));
  EXPECT_THAT(name("ab"), HasSubstr("such as \"bucket-ab\""));
  EXPECT_THAT(name("192.168.0.1"), HasSubstr("IP address"));
  EXPECT_THAT(name("a..b"), HasSubstr("such as \"a-b\""));
  EXPECT_THAT(name(std::string(64, 'a')), HasSubstr("longer than 63"));
  EXPECT_THAT(name("-abc"), HasSubstr("begin and end"));
  EXPECT_THAT(name("xn--abc"), HasSubstr("for itself"));
  EXPECT_EQ(name("a.b-c1"), "accepted");
  for (const char* bad : {"_", "AB", "..", "a_", "xn--x", "1.2.3.4", "\xff\xff\xff", "-"})
    EXPECT_TRUE(check_bucket_name(proposed_bucket_name(bad))) << proposed_bucket_name(bad);
}

TEST(S3BadInput, AnEndpointThatCannotWorkIsToldWithTheMend) {
  EXPECT_THAT(refusal("http://h:443", "abc"), HasSubstr("write https://h"));
  EXPECT_THAT(refusal("https://h:80", "abc"), HasSubstr("port 80 speaks plain http"));
  EXPECT_THAT(refusal("https://abc.s3.eu-west-1.amazonaws.com", "abc"),
              HasSubstr("write https://s3.eu-west-1.amazonaws.com"));
  EXPECT_THAT(refusal("https://other.s3.amazonaws.com", "abc"), HasSubstr("write https://s3.amazonaws.com"));
  EXPECT_THAT(refusal("https://abc.objects.example.org", "abc"), HasSubstr("write https://objects.example.org"));
  EXPECT_THAT(refusal("https://objects.example.org/abc", "abc"), HasSubstr("name the bucket apart: abc"));
  EXPECT_EQ(refusal("https://s3.eu-west-1.amazonaws.com", "abc"), "accepted");
}

TEST(S3BadInput, APageOfAProxyIsNoAnswerEvenWhenItSaysOk) {
  for (const int status : {200, 403, 511}) {
    ScriptedServer server([&](const Request&) {
      return said(status, "<html>Please log in</html>", "Content-Type: text/html; charset=utf-8\r\n");
    });
    S3Options options = options_for(server);
    options.retry_for = 1ms;
    const auto put = opened(options)->put("k", "x");
    ASSERT_FALSE(put) << status;
    EXPECT_THAT(put.error().text(), HasSubstr("captive portal"));
  }
}

TEST(S3BadInput, AServerThatIsNoneOfS3IsTold) {
  ScriptedServer server([&](const Request&) { return said(404, "404 page not found"); });
  EXPECT_THAT(opened(options_for(server))->get("k", "", 10).error().text(), HasSubstr("check the endpoint"));
  const auto owned = bucket_of(options_for(server))->ownership();
  ASSERT_FALSE(owned) << "such a 404 does not say that there is no bucket";
  EXPECT_THAT(owned.error().text(), HasSubstr("check the endpoint"));
}

TEST(S3Region, IsLearntFromTheAnswerAndRemembered) {
  const std::string wrong =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>right-1</Region></Error>";
  for (const bool in_header : {false, true}) {
    ScriptedServer server([&](const Request& request) {
      if (request.head.find("/right-1/s3/") != std::string::npos) return said(200, "");
      return in_header ? said(301, "", "x-amz-bucket-region: right-1\r\n") : said(400, wrong);
    });
    const auto store = opened(options_for(server));
    EXPECT_TRUE(store->put("k", "x")) << in_header;
    EXPECT_TRUE(store->put("k", "x"));
    EXPECT_EQ(server.requests().size(), 3U);
  }
}

TEST(S3Region, ARedirectToAnotherHostIsNeverFollowed) {
  ScriptedServer thief([](const Request&) { return said(200, ""); });
  ScriptedServer server([&](const Request&) {
    return said(307, "<Error><Code>TemporaryRedirect</Code><Endpoint>thief.example</Endpoint></Error>",
                fmt::format("Location: {}/bucket/k\r\n", thief.url()));
  });
  EXPECT_EQ(opened(options_for(server))->put("k", "x").error().fault(), Fault::invalid);
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_TRUE(thief.requests().empty());
}

TEST(S3Region, AnAwsEndpointMovesWithinAws) {
  S3Options options;
  options.bucket = "abc";
  options.endpoint = "https://s3.us-east-1.amazonaws.com";
  EXPECT_EQ(place_of(options, "eu-west-1").host, "abc.s3.eu-west-1.amazonaws.com");
  options.endpoint = "https://s3.us-east-1.amazonaws.com.evil.example";
  EXPECT_EQ(place_of(options, "eu-west-1").host, "s3.us-east-1.amazonaws.com.evil.example");
  EXPECT_EQ(aws_region_of("abc.s3-eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(aws_region_of("abc.s3.eu-west-1.amazonaws.com"), "eu-west-1");
  EXPECT_EQ(aws_region_of("s3.amazonaws.com"), "");
  EXPECT_EQ(aws_region_of("s3.eu-west-1.example.org"), "");
}

TEST(S3Retries, AreATenthOfTheRequestsBeyondABurst) {
  ScriptedServer server([](const Request&) { return error(503, "SlowDown"); });
  S3Options options = options_for(server);
  options.retry_pause = 1us;
  options.retry_pause_max = 1us;
  const auto store = opened(options);
  constexpr std::size_t kRequests = 100;
  for (std::size_t i = 0; i < kRequests; ++i) EXPECT_FALSE(store->put("k", "x"));
  EXPECT_LE(server.requests().size(), kRequests + RetryBudget::kBurst + kRequests / 10);
  EXPECT_GT(server.requests().size(), kRequests + RetryBudget::kBurst);
}

TEST(S3Faults, CutAndWrongAnswersAreErrorsAndNeverHalfAnObject) {
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this",
      "HTTP/1.1 206 Partial\r\nContent-Length: 3\r\nContent-Range: bytes 0-9/10\r\n\r\nabc",
      "HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n0123456789",
      "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789",
      "garbage\r\n\r\nConnection: close"};
  for (const auto& answer : answers) {
    ScriptedServer server([&](const Request&) { return answer; });
    S3Options options = options_for(server);
    options.retry_for = 1ms;
    EXPECT_FALSE(get_range(*bucket_of(options), "k", "", 0, 10)) << answer;
  }
}

TEST(S3Faults, AnErrorInsideAnAnswerOf200IsAnError) {
  ScriptedServer server([](const Request&) { return error(200, "InternalError"); });
  const auto bucket = bucket_of(options_for(server));
  const auto copied = copy_object(*bucket, "", {"a", ""}, "b");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().fault(), Fault::busy);
  EXPECT_THAT(copied.error().text(), HasSubstr("InternalError"));
  EXPECT_FALSE(complete_upload(*bucket, {"k", "id"}, {{1, "e", 1}}));
}

TEST(S3Faults, EveryKeyOfABatchIsAccountedFor) {
  ScriptedServer server([](const Request&) {
    return said(200,
                "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code>"
                "<Message>m</Message></Error></DeleteResult>");
  });
  const auto deleted = delete_objects(*bucket_of(options_for(server)), {{"a", ""}, {"b", "v"}, {"c", ""}});
  ASSERT_TRUE(deleted) << deleted.error().text();
  EXPECT_EQ(deleted->done.size(), 1U);
  ASSERT_EQ(deleted->failed.size(), 2U);
  EXPECT_EQ(deleted->failed[0].code, "AccessDenied");
  EXPECT_EQ(deleted->failed[0].which.version, "v");
  EXPECT_EQ(deleted->failed[1].code, "Unanswered");
  EXPECT_THAT(server.requests().at(0).head, HasSubstr("content-md5: "));
}

TEST(S3Settings, ADeleteThatCouldDeleteTheBucketIsNeverSent) {
  ScriptedServer server([](const Request& request) {
    return request.method == "GET" ? said(200, "<ListBucketResult/>") : said(204, "");
  });
  const auto bucket = bucket_of(options_for(server));
  for (int i = 0; i <= static_cast<int>(Setting::location); ++i)
    for (const bool proven : {false, true})
      EXPECT_EQ(bucket->remove(static_cast<Setting>(i), proven).error().fault(), Fault::unsupported);
  EXPECT_EQ(bucket->write(Setting::encryption, "<ServerSideEncryptionConfiguration/>").error().fault(),
            Fault::unsupported);
  for (const auto& request : server.requests()) EXPECT_EQ(request.method, "GET");
}

}  // namespace
}  // namespace enclave::cloud
