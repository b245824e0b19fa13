#pragma once

#include <memory>
#include <string>

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filter.h"
#include "pipeline/output.h"

/// Outputs one by one. For the .cc files of this folder.
namespace enclave::pipeline::filebeat {

/// What an output cannot do of `ssl` is told.
void check_tls(const Tls& tls, const Place& place, Diagnostics& diagnostics);
/// ["a", "b"] as a Logstash file has it.
std::string list_of(const Strings& texts);

// Null after a mistake.
std::unique_ptr<Output> make_elasticsearch(const Config& config, const FilterWorld& world, Diagnostics& diagnostics);
std::unique_ptr<Output> make_file(const Config& config, Diagnostics& diagnostics);
std::unique_ptr<Output> make_console(const Config& config, Diagnostics& diagnostics);

}  // namespace enclave::pipeline::filebeat
