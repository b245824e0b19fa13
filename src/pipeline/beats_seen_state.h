#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What is kept of the lines that Beats sent, and how it stands in the registry (docs/formats/lumberjack.md).
namespace enclave::pipeline {

/// The lines of one file in one window: offsets of the first and the last one, and what they look like.
struct SeenRange {
  std::uint64_t first = 0, last = 0;
  std::uint32_t first_hash = 0;  ///< of the first line's message
  std::uint32_t time_hash = 0;   ///< of its @timestamp
  std::uint16_t last_hash = 0;   ///< of the last line's message
  bool operator==(const SeenRange&) const = default;
};

/// Ranges that are written together: of one process of the sender, and of one content of the file.
struct SeenChunk {
  static constexpr std::size_t kRangesMax = 16;
  std::uint32_t process = 0;  ///< hash of what the sender's process calls itself; 0: it does not
  std::uint32_t content = 0;  ///< counts up whenever the file begins anew
  std::uint64_t seconds = 0;  ///< since 1970, when it was used last
  std::vector<SeenRange> ranges;
  bool operator==(const SeenChunk&) const = default;
};

std::string format_seen(const SeenChunk& chunk);
/// Fault::corrupt for anything that format_seen() does not write.
Result<SeenChunk> parse_seen(std::string_view text);

/// Hashes; nobody is protected by them.
struct SeenKey {
  std::uint64_t scope = 0;     ///< who may say it: address, or name in a certificate
  std::uint64_t file[2] = {};  ///< of the sender, and of what it says of the file
  bool operator==(const SeenKey&) const = default;
};

/// The source under which chunk `number` of a file stands: `beats-seen:<port>:<48 hex>.<hex>`.
std::string seen_source(std::uint64_t port, const SeenKey& key, std::uint32_t number);
std::string seen_prefix(std::uint64_t port);
struct SeenName {
  SeenKey key;
  std::uint32_t number = 0;
};
/// Fault::corrupt.
Result<SeenName> parse_seen_source(std::string_view source, std::uint64_t port);

}  // namespace enclave::pipeline
