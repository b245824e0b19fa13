#pragma once

#include <string>
#include <vector>

#include "cli/verb.h"
#include "pipeline/flow/logstash_plan.h"

namespace enclave::cli {

/// The pipelines of a file, a folder, a glob, a pipelines.yml, or a folder that holds one or a logstash.yml; `path` is
/// absolute. Those that are switched off are left out. Mistakes go to the diagnostics.
std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell, Diagnostics& diagnostics);
/// The same, with what logstash.yml says of the whole program.
std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell, Diagnostics& diagnostics,
                                                       pipeline::logstash::Settings& settings);

}  // namespace enclave::cli
