#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipeline/flow/flow.h"
#include "pipeline/logstash/config_files.h"

/// Logstash's pipelines as flows.
namespace enclave::pipeline {

/// One pipeline, read.
struct LogstashPipeline {
  logstash::PipelineSettings settings;
  logstash::Configuration configuration;
};

/// What a plan lacks is for the caller to add: `sources` is empty where no pipeline of it has an input, and `outputs`
/// holds an output with the id "archive" and no Output wherever events go to the archive: `archive {}` or a pipeline
/// without outputs.
struct LogstashPlan {
  FlowPlan flow;
  std::size_t archive = kNoArchive;  ///< index of that output
  static constexpr std::size_t kNoArchive = ~std::size_t{0};
  std::vector<std::size_t> members = {};  ///< indices of its pipelines
};

/// Pipelines that send to each other are one plan: `pipeline` outputs are calls, no queues lie between, so an event is
/// acknowledged when all that became of it is safe. All mistakes go to the diagnostics; with one of them the plans are
/// empty. `pipelines` and `world` outlive the plans. `begins`, if any, is called with the members of each plan before
/// that is made, so that whoever watches `world.files` knows for which one they are read.
std::vector<LogstashPlan> plan_logstash(const std::vector<LogstashPipeline>& pipelines, const FilterWorld& world,
                                        Diagnostics& diagnostics,
                                        const std::function<void(std::span<const std::size_t>)>& begins = {});

}  // namespace enclave::pipeline
