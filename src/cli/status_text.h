#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/flow/flow_file.h"
#include "pipeline/runtime.h"

/// What `enclave status` shows, 80 columns wide.
namespace enclave::cli {

/// What the running program wrote about itself.
struct Looked {
  bool running = false;
  std::optional<pipeline::StatusFile> log;  ///< none: there is no archive, or it has not begun
  std::optional<pipeline::FlowsFile> flows;
  std::string log_json, flows_json;  ///< the same as it stands in the files; "null"

  bool healthy() const;
};

/// `before`: an earlier look, from which rates are counted; else they are those since each pipeline's start.
std::string status_text(const Looked& looked, const Looked* before, std::int64_t now_ns);
/// One JSON object, LF-terminated.
std::string status_json(const Looked& looked);

}  // namespace enclave::cli
