#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "cloud/s3_store.h"
#include "io/system.h"

/// The server that ceph.sh run or swift.sh run tells of.
namespace enclave::cloud {

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  EXPECT_NE(value, nullptr) << name << " is not set: run this test with ceph.sh run or swift.sh run";
  return value == nullptr ? "" : value;
}

inline std::string new_bucket_name() {
  static std::atomic<int> counter{0};
  std::array<std::uint8_t, 4> bytes{};
  io::real_random().fill(bytes);
  return fmt::format("enclave-test-{:02x}{:02x}{:02x}{:02x}-{}", bytes[0], bytes[1], bytes[2], bytes[3], ++counter);
}

inline S3Options options_for(const std::string& bucket) {
  S3Options options;
  options.endpoint = variable("S3_ENDPOINT");
  options.bucket = bucket;
  options.region = variable("S3_REGION");
  options.ca_file = variable("S3_CA");
  options.insecure = options.endpoint.starts_with("http://");
  options.list_page = 7;  // so that every list here has pages
  return options;
}

inline S3Credentials credentials() {
  return {variable("AWS_ACCESS_KEY_ID"), crypto::Secret(variable("AWS_SECRET_ACCESS_KEY")), {}};
}
inline S3Credentials others_credentials() {
  return {variable("S3_OTHER_ACCESS_KEY"), crypto::Secret(variable("S3_OTHER_SECRET_KEY")), {}};
}

}  // namespace enclave::cloud
