#pragma once

#include "cli/verb.h"

namespace enclave::cli {

/// The arguments behind the verb. Fault::invalid says what is wrong and what was probably meant. `--help` makes
/// everything else right.
Result<Arguments> parse_arguments(const Verb& verb, const std::vector<std::string>& words);

/// The whole command line, without the program's name: finds the verb, runs it, says what is wrong. The exit status.
int run_command(const std::vector<std::string>& words, Shell& shell);

}  // namespace enclave::cli
