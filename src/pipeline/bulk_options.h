#pragma once

#include <optional>

#include "pipeline/bulk_sender.h"

namespace enclave::pipeline {

enum class BulkServer : std::uint8_t { elasticsearch, opensearch };

/// Reads the options of either plugin and reports each mistake; none when there was one.
std::optional<BulkOptions> read_bulk_options(logstash::PluginOptions& options, const FilterWorld& world,
                                             BulkServer server);

}  // namespace enclave::pipeline
