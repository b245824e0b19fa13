#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/flow/flow.h"

/// flows.json: what flows tell about themselves (docs/formats/flows.md).
namespace enclave::pipeline {

struct FlowsFile {
  std::int64_t wall_ns = 0;  ///< when it was written
  std::vector<FlowStatus> flows;
};

/// One JSON object, LF-terminated.
std::string format_flows(std::span<const FlowStatus> flows, std::int64_t wall_ns);

/// Members that are missing are 0, so that a file of an older version can be read; unknown ones are passed over.
/// Fault::corrupt when it is no such file, Fault::limit when it is larger than 16 MiB.
Result<FlowsFile> parse_flows(std::string_view json);

}  // namespace enclave::pipeline
