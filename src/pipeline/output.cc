#include "pipeline/output.h"

#include <algorithm>

namespace enclave::pipeline {

std::uint32_t Parcel::target(std::string_view name) {
  if (!targets.empty() && targets.back() == name) return static_cast<std::uint32_t>(targets.size() - 1);
  const auto found = std::ranges::find(targets, name);
  if (found != targets.end()) return static_cast<std::uint32_t>(found - targets.begin());
  targets.emplace_back(name);
  return static_cast<std::uint32_t>(targets.size() - 1);
}

}  // namespace enclave::pipeline
