#pragma once

#include "cli/verb.h"

/// Completion scripts, made from the verbs' tables.
namespace enclave::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace enclave::cli
