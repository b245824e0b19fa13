#pragma once

#include <memory>

#include "archive/log_source.h"
#include "cli/verb.h"
#include "cloud/object_store.h"
#include "pipeline/config/config.h"

/// From configuration, options and environment to a bucket.
namespace enclave::cli {

/// The bucket `name` of the configured store. Does not ask the server; makes the directory of a file store.
Result<std::unique_ptr<cloud::ObjectStore>> open_bucket(const pipeline::StorageConfig& storage, const std::string& name,
                                                        Shell& shell);

/// The log bucket, to write to: as storage.writer where the configuration names that identity, which may only put.
Result<std::unique_ptr<cloud::ObjectStore>> open_log_bucket(const pipeline::Config& config, Shell& shell);

/// Options of verbs that read a log from somewhere else than a configuration says.
inline constexpr OptionSpec kEndpointOption{
    0,     "endpoint",         "URL", "With s3://: the server. Default: AWS_ENDPOINT_URL, or that of --config.",
    false, Completes::nothing, {}};
inline constexpr OptionSpec kRegionOption{
    0, "region", "NAME", "With s3://: the region that requests are signed for.", false, Completes::nothing, {}};
inline constexpr OptionSpec kCaOption{
    0, "ca", "FILE", "With s3://: certificates (PEM) that the server is checked against.", false, Completes::file, {}};
inline constexpr OptionSpec kCredentialsOption{
    0, "credentials", "env|file:PATH", "With s3://: where the S3 keys are. Default: env.", false, Completes::nothing,
    {}};

/// A log to read, and what keeps it open.
struct OpenLog {
  std::unique_ptr<cloud::ObjectStore> store;
  std::unique_ptr<archive::LogSource> source;
  std::optional<pipeline::Config> config;  ///< when no target was named
};

/// `target`: a directory, file:///DIRECTORY or s3://BUCKET[/PREFIX]; empty: the log bucket of the configuration.
/// What is wrong with the configuration has been written to shell.err when it fails.
Result<OpenLog> open_log(const std::string& target, const Arguments& arguments, Shell& shell);

/// The log bucket of this configuration, to read. Makes nothing.
Result<OpenLog> open_log_of(const pipeline::Config& config, Shell& shell);

}  // namespace enclave::cli
