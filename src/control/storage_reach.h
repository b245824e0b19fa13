#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cloud/capabilities.h"
#include "cloud/s3_bucket.h"
#include "pipeline/config/config.h"

/// How storage controls reach the configured object store: as whom, and in which way.
namespace enclave::control {

enum class As : std::uint8_t {
  owner,      ///< storage.credentials
  writer,     ///< storage.writer: the identity that may only put; Fault::absent when none is configured
  other,      ///< storage.other: somebody else's, for trials only; Fault::absent when none is configured
  anonymous,  ///< no signature at all
};

enum class Way : std::uint8_t {
  configured,  ///< as enclave.yaml says
  plain_http,  ///< the same server without TLS: storage.plain_endpoint, else port 80 of the endpoint's host
  tls_1_0,     ///< at most that version of TLS, on the configured endpoint
  tls_1_1,
};

class Storage {
 public:
  virtual ~Storage() = default;
  /// False for file:// endpoints: the controls of S3 buckets do not apply there.
  virtual bool is_s3() const = 0;
  /// Does not ask the server. The reference lives as long as the Storage.
  virtual Result<cloud::S3Bucket*> bucket(const std::string& name, As as = As::owner, Way way = Way::configured) = 0;
  /// What this endpoint does: probed on a canary bucket at the first call, then remembered in the state directory for a
  /// day (by endpoint, and by what the server says it is).
  virtual Result<const cloud::Capabilities*> capabilities() = 0;
  /// The same, asked anew whatever is remembered. `progress` is told each title before it is tried; may be empty.
  virtual Result<const cloud::Capabilities*> probe(const std::function<void(std::string_view title)>& progress) = 0;
};

/// How the configuration says that a bucket of an S3 endpoint is reached.
cloud::S3Options s3_options(const pipeline::StorageConfig& storage, const std::string& bucket);

/// From storage: of the configuration. Credentials are read at the first use.
std::unique_ptr<Storage> open_storage(World world, const pipeline::Config& config,
                                      std::function<std::optional<std::string>(std::string_view)> environment);

}  // namespace enclave::control
