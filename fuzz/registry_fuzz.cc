// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/crc.h"
#include "pipeline/registry.h"

// The checksum is made to fit, so that what stands behind it is reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::pipeline;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_registry(bytes);
  std::string text = "enclave-registry/v1\nseq 1\n" + std::string(bytes);
  text += fmt::format("crc32c {:08x}\n", enclave::crc32c(text));
  if (const auto states = parse_registry(text)) {
    const auto again = parse_registry(format_registry(1, *states));
    ENSURE(again && *again == *states);
  }
  return 0;
}
