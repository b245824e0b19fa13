#pragma once

#include <memory>
#include <string>

#include "pipeline/source.h"

namespace enclave::pipeline {

/// An input of enclave.yaml as a source: the line as `message`, host.name, log.file.path, and what the input knows
/// besides. `config` is the input's map; it was checked and outlives the source.
std::unique_ptr<Source> make_enclave_source(const InputPlugin& plugin, const Node& config, std::string host);

}  // namespace enclave::pipeline
