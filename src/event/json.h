#pragma once

#include <string>

namespace enclave::event {

/// A JSON array of what `to_json` makes of each of `items`: JSON values.
template <class Items, class ToJson>
std::string json_array(const Items& items, ToJson to_json) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? "," : "") + to_json(item);
  return out + "]";
}

}  // namespace enclave::event
