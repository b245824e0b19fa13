#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/live.h"
#include "cli/verb.h"
#include "pipeline/config/listen_address.h"
#include "pipeline/metrics_text.h"

/// GET /metrics and GET /healthz while enclave runs (docs/METRICS.md).
namespace enclave::cli {

/// A thread of its own; ends with the object.
class MetricsServer {
 public:
  virtual ~MetricsServer() = default;
};

/// Fills what it knows; times and version are added. Called at most ten times a second, from the server's thread.
using Observe = std::function<pipeline::Observed()>;

/// Where it listens: `option` when it is given, else what enclave.yaml says and all that other files ask for; "off" is
/// nowhere. Null: nobody asked. A port that is taken is a trouble that is told, and tried again every ten seconds: the
/// pipelines run without. `shell`, `live` and what `observe` looks at outlive it.
Result<std::unique_ptr<MetricsServer>> serve_metrics(std::string_view option, std::string_view configured,
                                                     const std::vector<pipeline::ListenAddress>& asked, Shell& shell,
                                                     Live& live, Observe observe);

/// The value of --metrics; empty: it was not given.
Result<void> check_metrics_option(std::string_view option);

}  // namespace enclave::cli
