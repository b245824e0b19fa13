#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "pipeline/config/config.h"
#include "pipeline/config/listen_address.h"
#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/flow/logstash_plan.h"
#include "pipeline/logstash/zones.h"

namespace enclave::cli {

/// Which files of Logstash's and Filebeat's shall run. All paths are absolute; "" for none.
struct FlowRequest {
  std::string logstash = {};  ///< a file, a folder, a glob, pipelines.yml, or a folder that holds it or logstash.yml
  std::string filters = {};   ///< the same, of which only the filters are used, in front of the archive
  std::string filebeat = {};
  std::string compat = {};  ///< "6", "7", "8"; "" to be guessed
  bool any() const { return !(logstash.empty() && filters.empty() && filebeat.empty()); }
};

/// What a flow keeps is there, below the state directory.
std::string flow_directory(const std::string& state, std::string_view id);

/// The flows that the files come to. Outlives the flows.
class FlowFiles {
 public:
  explicit FlowFiles(Shell& shell);
  FlowFiles(const FlowFiles&) = delete;
  FlowFiles& operator=(const FlowFiles&) = delete;

  struct Planned {
    pipeline::FlowPlan flow;
    std::size_t archive = pipeline::LogstashPlan::kNoArchive;  ///< index of the output that is the archive
    bool wants_inputs = false;                                 ///< those of enclave.yaml
    std::vector<event::SourceRange> imported;                  ///< positions of another program
  };
  /// All mistakes go to the diagnostics; then there is nothing to run.
  std::vector<Planned> plan(const FlowRequest& request, const std::string& host, Diagnostics& diagnostics);
  /// Where logstash.yml and filebeat.yml ask for an API.
  const std::vector<pipeline::ListenAddress>& apis() const { return apis_; }
  /// Null: none was planned.
  const pipeline::filebeat::Config* filebeat() const { return filebeats_.empty() ? nullptr : filebeats_.back().get(); }

 private:
  void plan_filebeat(const FlowRequest& request, const std::string& host, std::vector<Planned>& into,
                     Diagnostics& diagnostics);
  void take_registry(const pipeline::filebeat::Config& config, Planned& planned, Diagnostics& diagnostics);
  void ask_for_api(std::string_view host, std::string_view ports, const Place& place, Diagnostics& diagnostics);
  void plan_logstash(const std::string& path, bool filters_only, std::vector<Planned>& into, Diagnostics& diagnostics);

  Shell& shell_;
  std::vector<pipeline::ListenAddress> apis_;
  pipeline::logstash::SystemZones zones_;
  pipeline::logstash::ZoneLookup lookup_;
  /// One for each value of pipeline.ecs_compatibility.
  std::vector<std::unique_ptr<pipeline::FilterWorld>> worlds_;
  std::vector<std::unique_ptr<std::vector<pipeline::LogstashPipeline>>> pipelines_;
  std::vector<std::unique_ptr<pipeline::filebeat::Config>> filebeats_;
  std::vector<std::unique_ptr<pipeline::filebeat::FlowWorld>> filebeat_worlds_;
};

}  // namespace enclave::cli
