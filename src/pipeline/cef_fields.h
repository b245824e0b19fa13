#pragma once

#include <span>
#include <string_view>

namespace enclave::pipeline {

/// A key of ArcSight's Common Event Format: as it is written, its long name, and the field of the Elastic Common
/// Schema.
struct CefField {
  std::string_view key, name, ecs;
};

/// In the order of the keys.
std::span<const CefField> cef_fields();

}  // namespace enclave::pipeline
