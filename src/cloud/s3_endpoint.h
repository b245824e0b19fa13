#pragma once

#include <string>
#include <string_view>

#include "cloud/s3_store.h"

/// Where requests go, and the mistakes that can be told before the first one is sent.
namespace enclave::cloud {

/// The rule of Amazon S3 and of Ceph: 3 to 63 of a-z, 0-9, "-" and ".", a letter or digit at both ends, no "..", no
/// ".-" or "-.", no IPv4 address, no prefix or suffix that S3 keeps for itself. Fault::invalid tells what is wrong and
/// proposes a name.
Result<void> check_bucket_name(std::string_view name);
/// A name that keeps the rule and looks like this one.
std::string proposed_bucket_name(std::string_view name);

/// Endpoint, bucket and region. An empty bucket is fine.
Result<void> check_options(const S3Options& options);

/// Whether it is a region's name as servers use them: 1 to 64 of A-Z a-z 0-9 - _ .
bool is_region(std::string_view text);

/// How requests reach a bucket.
struct S3Place {
  std::string scheme;  ///< "https://"
  std::string host;    ///< as the Host header says it, of the bucket
  std::string base;    ///< path before the key: "/bucket" or ""
  std::string account_host;
  std::string region;
};
/// Where `region` is another one than the endpoint's own and the endpoint is Amazon's, that region's endpoint.
S3Place place_of(const S3Options& options, std::string region);

/// "eu-west-1" of "bucket.s3.eu-west-1.amazonaws.com", "bucket.s3-eu-west-1.amazonaws.com"; "" of other hosts.
std::string aws_region_of(std::string_view host);

}  // namespace enclave::cloud
