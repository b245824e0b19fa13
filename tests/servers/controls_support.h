#pragma once

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/encoding.h"
#include "cloud/s3_bucket.h"
#include "io/system.h"

/// What tests against a real object store share. The variables come from the server's script (see ceph.sh).
namespace enclave {

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name << " is not set: run this test with the server's script";
  return value == nullptr ? "" : value;
}

inline std::string new_bucket_name() {
  std::array<std::uint8_t, 6> bytes{};
  io::real_random().fill(bytes);
  return "enclave-test-" + to_hex(bytes_of(bytes));
}

inline cloud::S3Options options_for(const std::string& bucket) {
  cloud::S3Options options;
  options.endpoint = variable("S3_ENDPOINT");
  options.bucket = bucket;
  options.region = variable("S3_REGION");
  options.ca_file = variable("S3_CA");
  return options;
}

inline cloud::S3Credentials owners_credentials() {
  return {variable("AWS_ACCESS_KEY_ID"), crypto::Secret(variable("AWS_SECRET_ACCESS_KEY")), {}};
}
inline cloud::S3Credentials others_credentials() {
  return {variable("S3_OTHER_ACCESS_KEY"), crypto::Secret(variable("S3_OTHER_SECRET_KEY")), {}};
}

inline Result<std::unique_ptr<cloud::S3Bucket>> open_as_owner(const std::string& bucket) {
  return cloud::S3Bucket::open(io::real_world(), options_for(bucket), owners_credentials());
}
inline Result<std::unique_ptr<cloud::S3Bucket>> open_as_nobody(const std::string& bucket) {
  auto options = options_for(bucket);
  options.anonymous = true;
  return cloud::S3Bucket::open(io::real_world(), options, {});
}
inline Result<std::unique_ptr<cloud::S3Bucket>> open_plainly(const std::string& bucket) {
  auto options = options_for(bucket);
  options.endpoint = variable("S3_PLAIN_ENDPOINT");
  options.insecure = true;
  return cloud::S3Bucket::open(io::real_world(), options, owners_credentials());
}

}  // namespace enclave
