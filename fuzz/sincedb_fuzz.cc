// uses: pipeline event base
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/sincedb.h"

using namespace enclave;
using namespace enclave::pipeline;

// Each line is an entry, or counted as none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Sincedb read = parse_sincedb(text);
  std::size_t lines = 1;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  ENSURE(read.entries.size() + read.unread <= 2 * lines);
  for (const auto& entry : read.entries) ENSURE(entry.path.size() <= text.size());
  return 0;
}
