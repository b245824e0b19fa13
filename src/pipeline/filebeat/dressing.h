#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/flow/flow.h"

/// The shape that Filebeat gives events, by generation (docs/FILEBEAT.md).
namespace enclave::pipeline::filebeat {

/// Who sends.
struct Identity {
  std::string host_name;
  std::string version;       ///< what events say; empty: the latest of the generation
  std::string id;            ///< stays the same; agent.id
  std::string ephemeral_id;  ///< of this run
};

/// The version that events of a generation say when nobody says another.
std::string_view version_of(int generation);

/// Reports what cannot be used, such as a pattern that is none. What the dressings need is checked by it once.
bool check_dressing(const Config& config, const Input& input, const FilterWorld& world, Diagnostics& diagnostics);

/// One for each worker. It takes an event that has the line as its message, and its time, path and offset where
/// make_source() puts them; leaves out lines (cancelled), decodes, and adds all that Filebeat adds. `config` and
/// `input` have been checked, and outlive it.
std::unique_ptr<Dressing> make_dressing(const Config& config, const Input& input, const Identity& identity,
                                        const FilterWorld& world);

}  // namespace enclave::pipeline::filebeat
