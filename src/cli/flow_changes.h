#pragma once

#include <string>
#include <vector>

#include "cli/seen_files.h"

namespace enclave::cli {

/// A pipeline that runs, or that files ask for.
struct KnownFlow {
  std::string id;
  Basis basis = {};
  bool reloadable = true;
};

/// What is to be done so that those run which the files ask for. Ids, in the order in which they were given.
struct FlowChanges {
  std::vector<std::string> begin, replace, end;
  std::vector<std::string> held;  ///< changed, or gone, and not reloadable: they go on as they are
  bool none() const { return begin.empty() && replace.empty() && end.empty(); }
};

/// A flow is replaced when its basis differs. Whether one may be is said by the one that runs.
FlowChanges changes_between(const std::vector<KnownFlow>& running, const std::vector<KnownFlow>& wanted);

}  // namespace enclave::cli
