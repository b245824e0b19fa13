#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"

/// The frame of the spool, before encryption (docs/formats/spool.md).
namespace enclave::pipeline {

/// Records of one reading with the positions that they reach: what one fsync commits.
struct Frame {
  std::uint64_t ordinal = 0;    ///< given by the spool: 1, 2, 3, … since it was opened; not stored
  std::uint64_t first_seq = 0;  ///< of its first record; of the next one when it has none
  std::uint32_t count = 0;
  std::int64_t wall_ns = 0;
  std::int64_t boot_ns = 0;
  std::string boot_id;
  std::uint64_t plain_bytes = 0;  ///< of the records, uncompressed
  std::vector<event::SourceRange> sources;
  std::string records;  ///< one Zstandard frame; empty when count is 0
  std::uint64_t next_seq() const { return first_seq + count; }
};

/// Appends the frame's plain text.
void encode_frame(const Frame& frame, std::string& out);
/// Fault::corrupt. `first_seq` and `count` stand in the header and are not touched.
Result<Frame> decode_frame(std::string_view plain);

/// What stands in the clear before a frame's ciphertext.
struct FrameHeader {
  static constexpr std::size_t kBytes = 28;
  std::uint32_t cipher_bytes = 0;
  std::uint64_t first_seq = 0;
  std::uint32_t count = 0;
  /// How far behind the beginning of its write the frame stands: frames of one write are synced together or not at all.
  std::uint32_t behind = 0;
  std::string encode() const;
  /// Fault::corrupt when it is not a header; Fault::limit when there are fewer than kBytes.
  static Result<FrameHeader> decode(std::string_view bytes);
};

inline constexpr std::uint32_t kCipherBytesMax = 256U << 20;

}  // namespace enclave::pipeline
