#pragma once

#include "pipeline/config/config.h"

/// The values that a table cannot judge: each says where it stands, what was found and what is allowed.
namespace enclave::pipeline {

/// Letters, digits, ".", "_" and "-", 1 to 64, the first a letter or a digit: it becomes a part of object names.
bool is_enclave_name(std::string_view name);
/// The names that every S3 server takes: 3 to 63 of a-z, 0-9, "." and "-", letter or digit at both ends.
bool is_bucket_name(std::string_view name);

void check_storage(const Node& node, StorageConfig& storage, Diagnostics& diagnostics);
void check_buckets(const Node& list, const std::vector<BucketConfig>& buckets, Diagnostics& diagnostics);
/// Also reads the date.
void check_waiver(const Node& node, WaiverConfig& waiver, Diagnostics& diagnostics);
/// Who reads the data must not thereby read the log, and the other way round.
void check_recipients_apart(const Node& root, const Config& config, Diagnostics& diagnostics);
void check_keys(const Node& node, const KeysConfig& keys, Diagnostics& diagnostics);
void check_archive(const Node& node, const ArchiveConfig& archive, Diagnostics& diagnostics);
void check_metrics(const Node& node, const MetricsConfig& metrics, Diagnostics& diagnostics);
void check_spool(const Node& node, const SpoolConfig& spool, Diagnostics& diagnostics);

/// Where `key` of the map stands; the map itself when it has no such key.
const Place& place_of(const Node& map, std::string_view key);

}  // namespace enclave::pipeline
