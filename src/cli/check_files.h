#pragma once

#include "cli/verb.h"

namespace enclave::cli {

/// `enclave check --logstash PATH` and `--filebeat FILE [--compat N]`, each with `[--cases FILE]`: every mistake of the
/// configuration, what is most likely not meant, and what becomes of given lines. The exit status.
int check_files(const Arguments& arguments, Shell& shell);

/// `enclave run --explain-line TEXT` with `--logstash PATH`, `--filebeat FILE` or both: what each filter does to one
/// line. The exit status.
int explain_line(const Arguments& arguments, Shell& shell);

}  // namespace enclave::cli
