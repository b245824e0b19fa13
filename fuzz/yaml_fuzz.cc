// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/config/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  enclave::Diagnostics diagnostics;
  (void)enclave::pipeline::parse_config_text({reinterpret_cast<const char*>(data), size}, "enclave.yaml", diagnostics);
  return 0;
}
