#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/s3_bucket.h"

/// What an S3 endpoint does, found out by trying on a canary bucket.
namespace enclave::cloud {

enum class Support : std::uint8_t {
  works,
  accepted_not_enforced,  ///< the setting is stored and has no effect
  refused,                ///< the server knows it and this identity or this bucket may not
  absent,                 ///< the server does not know it
  unknown,                ///< could not be found out
};
std::string_view name_of(Support support);

struct Capability {
  std::string id;     ///< "policy.tls_null": stable, for code and JSON
  std::string title;  ///< "policy: Deny with Null aws:SecureTransport"
  Support support = Support::unknown;
  std::string evidence;  ///< what was sent and answered, at most 4 KiB
};

struct Capabilities {
  std::string endpoint;
  std::string server;  ///< Server header or what else it says of itself
  std::int64_t probed_wall_ns = 0;
  std::vector<Capability> all;
  std::vector<std::string> left;  ///< canary buckets that could not be removed yet: see remove_canary()

  Support of(std::string_view id) const;  ///< unknown when it is not there
  bool works(std::string_view id) const { return of(id) == Support::works; }
};

/// How the prober reaches the server for a bucket of this name; owner, nobody, and the owner over plain HTTP (nullptr
/// when there is no such way).
struct ProbeReach {
  std::function<Result<std::unique_ptr<S3Bucket>>(const std::string& bucket)> owner, anonymous, plain_http;
};

/// Makes canary buckets ("enclave-canary-<16 hex>"), tries, and removes them again, also when something fails. Sends
/// no DELETE of a sub-resource to any other bucket. `progress` is told each title before it is tried.
Result<Capabilities> probe_capabilities(World world, const ProbeReach& reach,
                                        const std::function<void(std::string_view title)>& progress);

/// What a server says of itself in the headers of any answer; "" when nothing tells.
std::string server_of(const S3Answer& answer);

inline constexpr std::string_view kCanaryPrefix = "enclave-canary-";
/// Removes a canary bucket with all that is in it, as far as nothing in it is locked. True: it is gone (or was).
/// Fault::invalid for a bucket that has another name.
Result<bool> remove_canary(S3Bucket& bucket);

std::string format_capabilities(const Capabilities& capabilities);  ///< one JSON object, one line
Result<Capabilities> parse_capabilities(std::string_view json);

}  // namespace enclave::cloud
