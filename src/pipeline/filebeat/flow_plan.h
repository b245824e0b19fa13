#pragma once

#include <memory>
#include <vector>

#include "pipeline/filebeat/dressing.h"
#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filebeat/registry_import.h"
#include "pipeline/flow/flow.h"

/// filebeat.yml as a flow.
namespace enclave::pipeline::filebeat {

/// What a flow is made with. Outlives it.
struct FlowWorld {
  FlowWorld(Files& of, const logstash::ZoneLookup& time_zones, Identity who)
      : files(of), zones(time_zones), identity(std::move(who)) {}
  Files& files;
  const logstash::ZoneLookup& zones;
  Identity identity;
  FilterWorld filters{files, zones};  ///< what codecs and outputs are made with
};

/// The inputs that are enabled, the processors, and the output: logstash, elasticsearch, file or console; `outputs` is
/// empty when none is enabled. Null after a mistake; all of them stand in the diagnostics. `config` outlives the plan.
std::unique_ptr<FlowPlan> make_flow(const Config& config, const FlowWorld& world, Diagnostics& diagnostics);

/// Null, with mistakes in the diagnostics, or when no output is enabled.
std::unique_ptr<Output> make_output(const Config& config, const FilterWorld& world, Diagnostics& diagnostics);

/// What a registry of Filebeat's comes to as positions of our file input.
struct TakenPositions {
  std::vector<event::SourceRange> ranges;  ///< for FlowOptions::imported
  std::uint64_t gone = 0;                  ///< entries whose files are not there any more
  std::uint64_t changed = 0;               ///< entries of which another file has the name, or a shorter one
};

/// Looks at the files: an entry is taken when the file at its path has its inode (and its device, where that is told)
/// and is as long as what was read of it; else, when another file of the same folder has that inode, for that one, as
/// after a rotation. Of several entries of one file the one that is farther counts: nothing is read twice.
TakenPositions take_positions(Files& files, const RegistryImport& import);

}  // namespace enclave::pipeline::filebeat
