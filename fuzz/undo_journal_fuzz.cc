// uses: control
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "control/undo_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)enclave::control::parse_applied({reinterpret_cast<const char*>(data), size});
  return 0;
}
