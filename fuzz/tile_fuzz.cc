// uses: archive base
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "archive/tiles.h"

// The first byte is a width less one; the rest is an entry bundle, a hash tile and a path.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::archive;
  if (size == 0) return 0;
  const unsigned width = data[0] + 1U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto entries = decode_entries(bytes, width)) {
    ENSURE(entries->size() == width);
    const std::vector<std::string> owned(entries->begin(), entries->end());
    ENSURE(encode_entries(owned) == bytes);
  }
  if (const auto hashes = decode_hashes(bytes, width)) ENSURE(hashes->size() == width);
  if (const auto tile = parse_tile_path(bytes)) ENSURE(tile_path(*tile) == bytes);
  return 0;
}
