// uses: pipeline base
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/user_agent.h"

using namespace enclave::pipeline;

// Any header is read; so is one by rules that begin the same text, where they are rules.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const UserAgent agent = read_user_agent(all);
  ENSURE(!agent.name.empty() && !agent.os.empty() && !agent.device.empty());
  const std::size_t gap = std::min(all.find("\n\n"), all.size());
  if (const auto rules = UserAgentRules::parse(all.substr(0, gap), "rules.yaml"))
    ENSURE(!rules->read(all.substr(gap)).name.empty());
  return 0;
}
