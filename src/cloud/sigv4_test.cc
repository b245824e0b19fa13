#include "cloud/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace enclave::cloud {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const char* const kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string signature_of(const SigningRequest& request, const SigningScope& scope, std::string_view access,
                         const char* secret) {
  const std::string header = authorization(request, scope, access, crypto::Secret(secret));
  return header.substr(header.rfind('=') + 1);
}

// The test suite that AWS published for Signature Version 4.
struct SuiteCase {
  const char* name;
  const char* method;
  const char* path;
  Pairs query;
  Pairs headers;
  const char* signature;
};

class Suite : public ::testing::TestWithParam<SuiteCase> {};

TEST_P(Suite, GivesThePublishedSignature) {
  const SuiteCase& one = GetParam();
  SigningRequest request{one.method, one.path, one.query, one.headers, kEmpty};
  request.headers.emplace_back("host", "example.amazonaws.com");
  request.headers.emplace_back("x-amz-date", "20150830T123600Z");
  const SigningScope scope{"20150830T123600Z", "us-east-1", "service"};
  EXPECT_EQ(signature_of(request, scope, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), one.signature);
}

const std::string kUnreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

INSTANTIATE_TEST_SUITE_P(
    Published, Suite,
    ::testing::Values(
        SuiteCase{
            "get_vanilla", "GET", "/", {}, {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        SuiteCase{
            "post_vanilla", "POST", "/", {}, {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        SuiteCase{"get_vanilla_query_order_key_case",
                  "GET",
                  "/",
                  {{"Param2", "value2"}, {"Param1", "value1"}},
                  {},
                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        SuiteCase{"get_vanilla_empty_query_key",
                  "GET",
                  "/",
                  {{"Param1", "value1"}},
                  {},
                  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        SuiteCase{"get_vanilla_query_unreserved",
                  "GET",
                  "/",
                  {{kUnreserved, kUnreserved}},
                  {},
                  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        SuiteCase{"get_header_value_trim",
                  "GET",
                  "/",
                  {},
                  {{"my-header1", " value1"}, {"my-header2", " \"a   b   c\""}},
                  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"}),
    [](const auto& one) { return std::string(one.param.name); });

// The worked examples of the Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header".
class S3Examples : public ::testing::Test {
 protected:
  static SigningRequest request(const char* method, const char* path, Pairs query, Pairs headers, const char* payload) {
    SigningRequest made{method, path, std::move(query), std::move(headers), payload};
    made.headers.emplace_back("host", "examplebucket.s3.amazonaws.com");
    made.headers.emplace_back("x-amz-content-sha256", payload);
    made.headers.emplace_back("x-amz-date", "20130524T000000Z");
    return made;
  }
  static std::string signature(const SigningRequest& request) {
    return signature_of(request, {"20130524T000000Z", "us-east-1"}, "AKIAIOSFODNN7EXAMPLE",
                        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  }
};

TEST_F(S3Examples, GetObject) {
  EXPECT_EQ(signature(request("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}, kEmpty)),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(S3Examples, PutObject) {
  const char* const payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  EXPECT_EQ(to_hex(bytes_of(crypto::sha256("Welcome to Amazon S3."))), payload);
  const auto path = uri_encode("/test$file.text", true);
  EXPECT_EQ(signature(request(
                "PUT", path.c_str(), {},
                {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}, payload)),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(S3Examples, GetBucketLifecycle) {
  EXPECT_EQ(signature(request("GET", "/", {{"lifecycle", ""}}, {}, kEmpty)),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(S3Examples, ListObjects) {
  EXPECT_EQ(signature(request("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, kEmpty)),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// "Authenticating Requests: Using Query Parameters", the example of a presigned URL.
TEST(SigV4, APresignedUrlHasThePublishedSignature) {
  const SigningRequest request{"GET", "/test.txt", {}, {{"host", "examplebucket.s3.amazonaws.com"}}, ""};
  EXPECT_EQ(presigned_query(request, {"20130524T000000Z", "us-east-1"}, "AKIAIOSFODNN7EXAMPLE",
                            crypto::Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {}, 86400),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
            "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, TheHeaderNamesTheScopeAndTheSignedHeaders) {
  const SigningRequest request{"GET", "/", {}, {{"x-amz-date", "20150830T123600Z"}, {"host", "h"}}, kEmpty};
  const auto header = authorization(request, {"20150830T123600Z", "r"}, "AK", crypto::Secret("s"));
  EXPECT_THAT(header,
              HasSubstr("AWS4-HMAC-SHA256 Credential=AK/20150830/r/s3/aws4_request, SignedHeaders=host;x-amz-date, "));
  EXPECT_THAT(canonical_request(request), EndsWith(kEmpty));
}

TEST(SigV4, TimesAreIsoBasic) { EXPECT_EQ(signing_time(1'369'353'600'999'999'999), "20130524T000000Z"); }

TEST(UriEncoding, LeavesTheUnreservedAloneAndComesBack) {
  EXPECT_EQ(uri_encode(kUnreserved, false), kUnreserved);
  EXPECT_EQ(uri_encode("a/b c+\xc3\xbc", true), "a/b%20c%2B%C3%BC");
  EXPECT_EQ(uri_encode("a/b", false), "a%2Fb");
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(uri_decode(uri_encode(all, false)), all);
  EXPECT_EQ(uri_decode("a+b%2"), "a b%2");
  EXPECT_EQ(uri_decode("%zz%41"), "%zzA");
}

}  // namespace
}  // namespace enclave::cloud
