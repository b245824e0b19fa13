#pragma once

#include <string>
#include <string_view>

#include "pipeline/config/config.h"

/// How people name objects, and which files objects become.
namespace enclave::cli {

struct ObjectPlace {
  std::string bucket;
  std::string key;  ///< or a prefix, or a pattern
};

/// "s3://BUCKET[/KEY]"; "BUCKET[/KEY]" where the file names that bucket; else a key in the bucket for data.
/// Fault::invalid when there is none.
Result<ObjectPlace> place_of(const pipeline::Config& config, std::string_view text);
/// Whether the text begins with a bucket, in one of the two ways.
bool names_bucket(const pipeline::Config& config, std::string_view text);
/// The bucket `for: data`.
Result<std::string> data_bucket(const pipeline::Config& config);

/// A pattern has * ? or [.
bool is_pattern(std::string_view key);
/// What stands before the first wildcard.
std::string literal_prefix(std::string_view pattern);

/// The path below the target for a key that was found below `asked` (a prefix or a pattern): without the directories
/// that were asked for. Fault::invalid for keys that would leave the target: "..", ".", empty parts, a leading slash,
/// NUL; or that no file can have.
Result<std::string> local_path(std::string_view key, std::string_view asked);

/// "2026-11-23 09:26" in UTC.
std::string short_time(std::int64_t wall_ns);

}  // namespace enclave::cli
