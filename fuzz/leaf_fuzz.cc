// uses: archive base
#include <cstddef>
#include <cstdint>

#include "archive/leaf.h"

// Any text is refused, or is the only form of what was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::archive;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto leaf = parse_leaf(text);
  if (!leaf) return 0;
  ENSURE(format_leaf(*leaf) == text);
  ENSURE(text.starts_with(signed_part_of(*leaf)));
  return 0;
}
