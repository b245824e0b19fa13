#pragma once

#include <functional>

#include "cli/status_text.h"
#include "cli/verb.h"

namespace enclave::cli {

/// Shows `look` again every so often until SIGINT or SIGTERM: on a terminal redrawn in place, as much as fits, and the
/// screen is as it was before at the end; elsewhere one block, or with `json` one line, after the other. The exit
/// status.
Result<int> watch_status(const std::function<Result<Looked>()>& look, Nanoseconds every, bool json, Shell& shell);

}  // namespace enclave::cli
