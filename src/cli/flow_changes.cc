#include "cli/flow_changes.h"

#include <algorithm>

namespace enclave::cli {

FlowChanges changes_between(const std::vector<KnownFlow>& running, const std::vector<KnownFlow>& wanted) {
  FlowChanges changes;
  for (const auto& flow : wanted) {
    const auto known = std::ranges::find(running, flow.id, &KnownFlow::id);
    if (known == running.end()) {
      changes.begin.push_back(flow.id);
    } else if (known->basis != flow.basis) {
      (known->reloadable ? changes.replace : changes.held).push_back(flow.id);
    }
  }
  for (const auto& flow : running)
    if (std::ranges::find(wanted, flow.id, &KnownFlow::id) == wanted.end())
      (flow.reloadable ? changes.end : changes.held).push_back(flow.id);
  return changes;
}

}  // namespace enclave::cli
