#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/document.h"
#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/flow/logstash_plan.h"

namespace enclave::cli {

/// Filters that lines are given to, to see what becomes of them.
class LineTrial {
 public:
  /// What one filter or processor did.
  struct Step {
    std::string name;          ///< "pipeline.conf:3 grok"
    const void* id = nullptr;  ///< one for each
    bool succeeded = true;
    std::vector<std::string> hints;  ///< why it failed, where that can be told
  };
  using Watch = std::function<void(const Step& step, const event::Document& after)>;

  virtual ~LineTrial() = default;
  /// The events that the input would make of `lines`, which are parted by LF; `lines` and the trial outlive them. What
  /// the input itself leaves out is cancelled.
  virtual std::vector<event::Document> read(std::string_view lines, event::Arena& arena, pipeline::FilterRun& run) = 0;
  /// Through all filters; what was dropped is taken out.
  virtual void apply(std::vector<event::Document>& events, pipeline::FilterRun& run, const Watch& watch) = 0;
};

/// The filters of a pipeline, which outlives the trial and has been checked. A line is an event with its message, and
/// no more: which input it came from is not known.
std::unique_ptr<LineTrial> trial_of(const pipeline::LogstashPipeline& pipeline, Files& files,
                                    const pipeline::logstash::ZoneLookup& zones);

/// An input of filebeat.yml with its processors and those of all. All of it outlives the trial and has been checked.
std::unique_ptr<LineTrial> trial_of(const pipeline::filebeat::Config& config, const pipeline::filebeat::Input& input,
                                    const pipeline::filebeat::FlowWorld& world, World& machine);

}  // namespace enclave::cli
