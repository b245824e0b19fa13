// The way to a real server through a real HTTP proxy: see proxy.sh.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "servers/s3_server.h"

namespace enclave::cloud {
namespace {

using ::testing::HasSubstr;

std::string proxy_log() {
  std::ifstream log(variable("S3_PROXY_LOG"));
  return {std::istreambuf_iterator<char>(log), {}};
}

S3Options through_proxy(const std::string& bucket) {
  S3Options options = options_for(bucket);
  options.proxy = variable("S3_PROXY");
  // The proxy looks names up, and no resolver but curl knows those below localhost; Ceph takes others for buckets.
  options.endpoint = "https://127.0.0.1" + options.endpoint.substr(options.endpoint.rfind(':'));
  options.retry_for = std::chrono::milliseconds(10);
  return options;
}

std::string authority_of(const S3Options& options) { return options.endpoint.substr(options.endpoint.find("//") + 2); }

TEST(ProxyToServer, ObjectsGoThroughItByConnectAndItSeesOnlyTheHost) {
  const S3Options options = through_proxy(new_bucket_name());
  const auto made = create_bucket(io::real_world(), options, credentials(), true);
  ASSERT_TRUE(made) << made.error().text();
  const auto store = open_s3_store(io::real_world(), options, credentials()).value();
  const std::string bytes(3 << 20, 'x');
  ASSERT_TRUE(store->put("a key", bytes));
  EXPECT_TRUE(store->get("a key", "", bytes.size()).value() == bytes);
  const std::string log = proxy_log();
  EXPECT_THAT(log, HasSubstr("CONNECT " + authority_of(options)));
  for (const std::string& secret : {options.bucket, std::string("GET"), variable("AWS_ACCESS_KEY_ID")})
    EXPECT_THAT(log, ::testing::Not(HasSubstr(secret)));
}

TEST(ProxyToServer, TheServersCertificateIsVerifiedBehindItAsWithout) {
  S3Options options = through_proxy(new_bucket_name());
  options.ca_file = variable("S3_OTHER_CA");
  const auto put = open_s3_store(io::real_world(), options, credentials()).value()->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::denied) << put.error().text();
  EXPECT_THAT(put.error().text(), HasSubstr("ca_file"));
}

TEST(ProxyToServer, APortThatItForbidsIsToldAsItsAnswer) {
  S3Options options = through_proxy(new_bucket_name());
  options.endpoint = "https://127.0.0.1:1";
  const auto put = open_s3_store(io::real_world(), options, credentials()).value()->put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().fault(), Fault::denied);
  EXPECT_THAT(put.error().text(), HasSubstr("the proxy answered 403 itself"));
}

}  // namespace
}  // namespace enclave::cloud
