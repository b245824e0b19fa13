#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

/// Zstandard (RFC 8878), contexts kept between calls. Not thread-safe.
namespace enclave::event {

/// The level at which logs are sealed. On records, level 1 takes half the time of level 3 and packs a little better
/// (9.9 to 9.4 on the corpus of bench/): their long repeats suit its simpler search.
inline constexpr int kZstdLevel = 1;

class Compressor {
 public:
  explicit Compressor(int level = kZstdLevel);
  ~Compressor();
  /// Appends one whole frame, with its content size and checksum, to `out`.
  void frame(std::string_view plain, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  /// Frames one after the other, in pieces; memory is bounded by a window of 8 MiB. May be fed in parts.
  /// Fault::corrupt when they are damaged, Fault::limit when the plain text would be more than `plain_bytes_max`.
  Result<void> feed(std::string_view bytes, std::uint64_t plain_bytes_max,
                    const std::function<Result<void>(std::string_view)>& take);
  /// All frames were whole. Resets for the next file.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// All of it. `plain_bytes_max` bounds what hostile bytes may unfold to.
Result<std::string> decompress(std::string_view frames, std::uint64_t plain_bytes_max);

}  // namespace enclave::event
