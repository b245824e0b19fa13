#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/verb.h"

/// The first enclave.yaml of a machine.
namespace enclave::cli {

/// What `init` finds on a machine.
struct Findings {
  std::string name;               ///< for the enclave: the host's name, made fit
  std::vector<std::string> logs;  ///< glob patterns and paths of text logs that can be read
  bool journal = false;
  std::vector<std::string> environment;  ///< names (never values) of AWS_* variables that are set
};

/// `root` is put before the paths; tests give one.
Findings find_on_this_machine(Shell& shell, const std::string& hostname, const std::string& root = "");

/// The file: every key with its help and its default, commented out; what was found is not. `state` as it shall stand.
std::string starter_config(const Findings& findings, std::string_view state);

struct Started {
  std::string path;
  Findings findings;
};
/// Finds, writes (with its directory). Fault::conflict when the file is there and `force` is not given.
Result<Started> write_starter(const Arguments& arguments, Shell& shell, bool force);

}  // namespace enclave::cli
