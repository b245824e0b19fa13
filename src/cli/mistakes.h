#pragma once

#include <string>

#include "base/options.h"

namespace enclave::cli {

/// A JSON array of what the diagnostics hold: severity, file, line, column, text.
std::string mistakes_json(const Diagnostics& diagnostics);

}  // namespace enclave::cli
