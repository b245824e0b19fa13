// uses: base event
// Zstandard frames: what reads in one piece reads the same in two, and never more than is allowed.
#include "event/compress.h"

namespace {
constexpr std::uint64_t kPlainBytesMax = 1 << 20;

enclave::Result<std::string> in_two(std::string_view frames) {
  enclave::event::Decompressor decompressor;
  std::string plain;
  const auto take = [&](std::string_view piece) -> enclave::Result<void> {
    plain += piece;
    return {};
  };
  TRY(decompressor.feed(frames.substr(0, frames.size() / 2), kPlainBytesMax, take));
  TRY(decompressor.feed(frames.substr(frames.size() / 2), kPlainBytesMax, take));
  TRY(decompressor.finish());
  return plain;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view frames(reinterpret_cast<const char*>(data), size);
  const auto whole = enclave::event::decompress(frames, kPlainBytesMax);
  const auto parts = in_two(frames);
  // The reverse does not hold: libzstd compares the size that a frame declares with what it holds, when an empty block
  // ends it, only if it has the frame in one piece.
  if (!whole) return 0;
  ENSURE(parts && *whole == *parts && whole->size() <= kPlainBytesMax);
  std::string frame;
  enclave::event::Compressor().frame(*whole, frame);
  ENSURE(enclave::event::decompress(frame, whole->size()).value() == *whole);
  return 0;
}
