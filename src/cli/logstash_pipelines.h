#pragma once

#include <string>
#include <vector>

#include "cli/seen_files.h"
#include "cli/verb.h"
#include "pipeline/flow/logstash_plan.h"

namespace enclave::cli {

/// The pipelines of a file, a folder, a glob, a pipelines.yml, or a folder that holds one or a logstash.yml; `path` is
/// absolute. Those that are switched off are left out. Mistakes go to the diagnostics. With `seen`, which is the
/// shell's file system then, `bases` gets what each pipeline was made from. `program` gets what logstash.yml says of
/// the whole program.
std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell, Diagnostics& diagnostics,
                                                       SeenFiles* seen = nullptr, std::vector<Basis>* bases = nullptr,
                                                       pipeline::logstash::Settings* program = nullptr);

}  // namespace enclave::cli
