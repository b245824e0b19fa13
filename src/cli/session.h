#pragma once

#include "cli/verb.h"
#include "pipeline/config/config.h"

namespace enclave::cli {

struct SessionOptions {
  bool once = false;
  bool json = false;
  std::string logstash;  ///< a Logstash configuration, instead of logging: pipeline:
};

/// Reads, seals and sends what the configuration says, until a signal or, with `once`, until every input has been read
/// to its end. Says on the way where the identity lies, how to verify, and what is wrong. The exit status.
Result<int> run_session(const pipeline::Config& config, const SessionOptions& options, Shell& shell);

/// Names in the state directory.
inline constexpr std::string_view kLockName = "lock";
inline constexpr std::string_view kStatusName = "status.json";

}  // namespace enclave::cli
