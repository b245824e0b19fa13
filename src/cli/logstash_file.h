#pragma once

#include "cli/verb.h"

namespace enclave::cli {

/// `enclave check --logstash PATH [--cases FILE]`: every mistake of the configuration, what is most likely not meant,
/// and what becomes of given lines. The exit status.
int check_logstash(const Arguments& arguments, Shell& shell);

/// `enclave run --logstash PATH --explain-line TEXT`: what each filter does to one line. The exit status.
int explain_line(const Arguments& arguments, Shell& shell);

}  // namespace enclave::cli
