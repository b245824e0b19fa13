// uses: archive base
#include <cstddef>
#include <cstdint>

#include "archive/note.h"

// Any text is refused, or is the only form of the checkpoint that was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::archive;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto checkpoint = Checkpoint::parse(text)) ENSURE(checkpoint->text() == text);
  return 0;
}
