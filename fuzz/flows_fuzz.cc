// uses: pipeline event base
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/flow/flow_file.h"

using namespace enclave;
using namespace enclave::pipeline;

// What is read is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = parse_flows({reinterpret_cast<const char*>(data), size});
  if (!read) return 0;
  const std::string text = format_flows(read->flows, read->wall_ns);
  const auto again = parse_flows(text);
  ENSURE(again.has_value());
  ENSURE(format_flows(again->flows, again->wall_ns) == text);
  return 0;
}
