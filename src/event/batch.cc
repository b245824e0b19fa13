#include "event/batch.h"

namespace enclave::event {

std::uint32_t Batch::source(std::string_view name, std::string_view from) {
  for (std::size_t i = sources.size(); i-- > 0;)
    if (sources[i].source == name) return static_cast<std::uint32_t>(i);
  sources.push_back({std::string(name), std::string(from), std::string(from), 0, 0, {}});
  return static_cast<std::uint32_t>(sources.size() - 1);
}

void Batch::clear() {
  events.clear();
  sources.clear();
  arena_.clear();
}

}  // namespace enclave::event
