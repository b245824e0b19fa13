#pragma once

#include "cli/verb.h"
#include "cli/verification.h"
#include "pipeline/config/config.h"

namespace enclave::cli {

/// Verifies the log of a configuration as `enclave verify -c` does, prints the report. The exit status.
Result<int> verify_own_log(const pipeline::Config& config, bool json, Shell& shell);

/// What `enclave verify` without a target verifies with: the anchors and the outbox of the state directory, and the
/// identity where it still lies.
Result<Verification> own_verification(const pipeline::Config& config, Shell& shell);

/// What this machine knows of its own log without asking the store.
struct OwnLog {
  std::vector<std::string> anchors;          ///< vkeys of the first signing key of each generation
  std::vector<std::string> pending_objects;  ///< keys of the objects that wait in the outbox
};
Result<OwnLog> own_log(Files& files, const std::string& state_directory);

}  // namespace enclave::cli
