#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/flow/flow.h"

/// What a running enclave tells to those who watch it (docs/METRICS.md).
namespace enclave::pipeline {

/// At one moment.
struct Observed {
  std::int64_t wall_ns = 0, started_wall_ns = 0;
  std::string version;
  std::optional<EngineStatus> engine;  ///< none: only flows run
  std::vector<FlowStatus> flows;

  /// What is wrong now: nothing when all is well.
  std::vector<std::string> troubles() const;
};

/// Prometheus' text format, version 0.0.4.
std::string metrics_text(const Observed& observed);
/// {"healthy":true,"troubles":[]}, LF-terminated.
std::string health_json(const Observed& observed);

}  // namespace enclave::pipeline
