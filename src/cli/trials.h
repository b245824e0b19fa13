#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/line_trial.h"
#include "cli/verb.h"
#include "pipeline/logstash/zones.h"

namespace enclave::cli {

/// All that lines can be given to in the files of a command line: the pipelines of --logstash and the inputs of
/// --filebeat that are enabled.
class Trials {
 public:
  struct Named {
    std::string name;  ///< a pipeline's id; an input's id, or its number counted from 1
    std::unique_ptr<LineTrial> trial;
  };

  explicit Trials(Shell& shell) : shell_(shell), zones_(shell.world.files), lookup_(zones_.lookup()) {}
  Trials(const Trials&) = delete;
  Trials& operator=(const Trials&) = delete;

  /// `path` is absolute. Only filters are looked at, so that inputs and outputs may name files of another machine.
  /// Mistakes go to the diagnostics; then there is nothing to give lines to.
  void read_logstash(const std::string& path, Diagnostics& diagnostics);
  /// `compat` is "6", "7", "8" or "".
  void read_filebeat(const std::string& path, const std::string& compat, Diagnostics& diagnostics);

  std::vector<Named>& pipelines() { return pipelines_; }
  std::vector<Named>& inputs() { return inputs_; }

 private:
  Shell& shell_;
  pipeline::logstash::SystemZones zones_;
  pipeline::logstash::ZoneLookup lookup_;
  std::vector<pipeline::LogstashPipeline> read_;
  pipeline::filebeat::Config filebeat_;
  std::unique_ptr<pipeline::filebeat::FlowWorld> filebeat_world_;
  std::vector<Named> pipelines_, inputs_;
};

/// The one of that name; null, and a list of the names in `problem`, when there is none, or several and no name.
LineTrial* find_trial(std::vector<Trials::Named>& all, std::string_view name, std::string& problem);

}  // namespace enclave::cli
