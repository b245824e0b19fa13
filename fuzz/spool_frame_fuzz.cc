// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string>

#include "pipeline/spool_frame.h"

// Whatever is decoded is encoded to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using namespace enclave::pipeline;
  if (const auto header = FrameHeader::decode(bytes)) ENSURE(header->encode() == bytes.substr(0, FrameHeader::kBytes));
  if (const auto frame = decode_frame(bytes)) {
    std::string again;
    encode_frame(*frame, again);
    ENSURE(again == bytes);
  }
  return 0;
}
