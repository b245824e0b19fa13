// uses: pipeline crypto event base
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/flow/letter.h"

using namespace enclave;
using namespace enclave::pipeline;

/// A letter that is read is one that is written, and read again as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  (void)parse_taken(line);
  const auto letter = parse_letter(line);
  if (!letter) return 0;
  std::string written = format_letter(*letter);
  written.pop_back();
  const auto again = parse_letter(written);
  ENSURE(again.has_value());
  ENSURE(again->event == letter->event && again->events == letter->events && again->to == letter->to);
  return 0;
}
