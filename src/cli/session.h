#pragma once

#include "cli/flow_files.h"
#include "cli/verb.h"
#include "io/host.h"
#include "pipeline/config/config.h"

namespace enclave::cli {

struct SessionOptions {
  bool once = false;
  bool json = false;
  FlowRequest flows = {};    ///< instead of logging: pipeline:
  std::string metrics = {};  ///< --metrics: "off" or where; empty: what the files say
};

/// Reads, seals and sends what the configuration says, until a signal or, with `once`, until every input has been read
/// to its end. Says on the way where the identity lies, how to verify, and what is wrong. The exit status.
Result<int> run_session(const pipeline::Config& config, const SessionOptions& options, Shell& shell);

/// Runs flows without an archive: there need be no enclave.yaml. `state`: the directory. The exit status.
Result<int> run_flows(const std::string& state, const SessionOptions& options, Shell& shell);

/// A restart overlaps with the end of what it replaces, and `enclave status` looks at the lock for a moment: this waits
/// for a second.
Result<io::Lock> lock_state(const std::string& path);

/// Names in the state directory.
inline constexpr std::string_view kLockName = "lock";
inline constexpr std::string_view kStatusName = "status.json";
inline constexpr std::string_view kFlowsName = "flows.json";

}  // namespace enclave::cli
