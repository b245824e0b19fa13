#pragma once

#include <string>

#include "base/options.h"
#include "cli/verb.h"

namespace enclave::cli {

/// A JSON array of what the diagnostics hold: severity, file, line, column, text.
std::string mistakes_json(const Diagnostics& diagnostics);

/// `enclave check` of one file that is not enclave.yaml: its mistakes as text or, with --json, as an object. The
/// exit status.
int tell_mistakes(const std::string& file, const Diagnostics& diagnostics, bool json, Shell& shell);

/// `enclave check --filebeat FILE [--compat N]`. The exit status.
int check_filebeat(const Arguments& arguments, Shell& shell);

}  // namespace enclave::cli
