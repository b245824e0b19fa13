#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/seen_files.h"
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
  bool reload = false;      ///< when files change, whatever they say of it themselves
  bool any() const { return !(logstash.empty() && filters.empty() && filebeat.empty()); }
  /// Each with one path, in the order in which they are opened: who receives comes first, so that a shipper on the same
  /// machine finds it listening.
  std::vector<FlowRequest> parts() const;
  const std::string& path() const { return !filters.empty() ? filters : !logstash.empty() ? logstash : filebeat; }
};

/// What a flow keeps is there, below the state directory.
std::string flow_directory(const std::string& state, std::string_view id);

/// The flows that the files come to, as they are when they are read. Outlives the flows.
class FlowFiles {
 public:
  explicit FlowFiles(Shell& shell);
  FlowFiles(const FlowFiles&) = delete;
  FlowFiles& operator=(const FlowFiles&) = delete;

  struct Planned {
    pipeline::FlowPlan flow;
    std::size_t archive = pipeline::LogstashPlan::kNoArchive;  ///< index of the output that is the archive
    bool wants_inputs = false;                                 ///< those of enclave.yaml
    std::vector<event::SourceRange> imported = {};             ///< positions of another program
    Basis basis = {};                                          ///< what it was made from
    bool reloadable = true;                                    ///< pipeline.reloadable
  };
  /// Once. All mistakes go to the diagnostics; then there is nothing to run.
  std::vector<Planned> plan(const FlowRequest& request, const std::string& host, Diagnostics& diagnostics);
  /// Where logstash.yml and filebeat.yml ask for an API.
  const std::vector<pipeline::ListenAddress>& apis() const { return apis_; }
  /// A flow once more, from what was read then, without its basis; none after mistakes. By one thread after plan().
  std::optional<Planned> plan_again(const std::string& id);

  /// What the files say of their own reloading.
  struct Reload {
    bool automatic = false;
    Nanoseconds every{std::chrono::seconds(3)};
    std::string only_below = {};  ///< when this folder changes, "" for all that was read
  };
  const Reload& reload() const { return reload_; }
  /// All that was read.
  const Stamps& stamps() const { return files_.stamps(); }
  /// Null: none was planned.
  const pipeline::filebeat::Config* filebeat() const { return filebeats_.empty() ? nullptr : filebeats_.back().get(); }

 private:
  /// Pipelines of one path, and what each was made from.
  struct Pipelines {
    std::vector<pipeline::LogstashPipeline> all;
    std::vector<Basis> bases;
    /// That of the first one: pipelines that send to each other have the same in every installation seen.
    std::unique_ptr<pipeline::FilterWorld> world;
    bool filters_only = false;
  };
  void read_filebeat(const FlowRequest& request, const std::string& host, Diagnostics& diagnostics);
  void make_filebeat(std::vector<Planned>& into, Diagnostics& diagnostics);
  void take_registry(const pipeline::filebeat::Config& config, Planned& planned, Diagnostics& diagnostics);
  void ask_for_api(std::string_view host, std::string_view ports, const Place& place, Diagnostics& diagnostics);
  void read_logstash(const std::string& path, bool filters_only, Diagnostics& diagnostics);
  void make_logstash(const Pipelines& pipelines, std::vector<Planned>& into, Diagnostics& diagnostics);
  std::vector<Planned> make(Diagnostics& diagnostics);
  static void finish_recipes(pipeline::FlowPlan& flow, const Basis& basis);
  void take_reload(const pipeline::filebeat::InputFiles& files, const std::string& beside);

  SeenFiles files_;
  Shell shell_;  ///< whose file system is files_
  Files& real_;
  std::vector<pipeline::ListenAddress> apis_;
  pipeline::logstash::SystemZones zones_;
  pipeline::logstash::ZoneLookup lookup_;
  std::vector<std::unique_ptr<Pipelines>> pipelines_;
  std::vector<std::unique_ptr<pipeline::filebeat::Config>> filebeats_;
  std::vector<std::unique_ptr<pipeline::filebeat::FlowWorld>> filebeat_worlds_;
  Basis filebeat_basis_;
  Reload reload_;
};

}  // namespace enclave::cli
