#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ports.h"

namespace enclave::pipeline {

/// Files are told apart by their first bytes, as many as were seen, at most these.
inline constexpr std::uint32_t kFingerprintBytes = 1024;

/// The first `bytes` bytes of a file's content (unpacked, if it is packed) and the front of their SHA-256.
struct Fingerprint {
  std::uint32_t bytes = 0;  ///< 0: nothing seen yet; it fits every file
  std::uint64_t hash = 0;
  bool operator==(const Fingerprint&) const = default;
};

/// Of the first kFingerprintBytes bytes of `front`, or of all when there are fewer.
Fingerprint fingerprint_of(std::string_view front);
/// Whether a file that begins with `front` may be the one.
bool fits(const Fingerprint& print, std::string_view front);

/// What a start needs to go on with a file: SourceRange::state of `file:` sources.
struct FileState {
  std::uint64_t offset = 0;  ///< of the first line not delivered, in the unpacked content
  FileId id;                 ///< inode 0: no file has this content any more, as far as is known
  Fingerprint print;
  std::uint64_t seen_bytes = 0;  ///< size of the content when last looked at; of packed files what was unpacked
  std::int64_t modified_ns = 0;  ///< when last looked at
  bool packed = false;           ///< gzip
  bool whole = false;            ///< packed, and read to its end
  bool truncated = false;        ///< no file has it because it was truncated: a copy may have been made before
  std::uint32_t crc = 0;         ///< CRC-32C of the content before `offset`, if `summed`
  bool summed = false;           ///< reading began at the first byte
  std::string path;              ///< last known
  bool operator==(const FileState&) const = default;
};

/// Text of at most kFileStateBytes, if the path is at most kFilePathBytes.
std::string format_state(const FileState& state);
/// Fault::corrupt for anything that format_state() does not write.
Result<FileState> parse_state(std::string_view text);

/// Longer paths are not followed: the registry bounds its lines.
inline constexpr std::size_t kFilePathBytes = 1024;
inline constexpr std::size_t kFileStateBytes = 2048;

/// White space, control characters, `%`, bytes of paths that are not UTF-8 and the second of two dots as %XX.
std::string escape_path(std::string_view path);

/// "file:<path>@<8 hex>" (docs/formats/record.md). Empty when the path, escaped, is longer than the registry takes.
std::string file_source(std::string_view path, std::uint32_t number);
/// The path in a source name. Fault::corrupt when it is none of ours.
Result<std::string> path_of_source(std::string_view source);

/// Whether `candidate` may hold what stood in a file called `name`, by the ways in which logs are rotated:
/// x.log → x.log.1, x.log-20261123.gz, x-20261123.log; both are names without directories.
bool may_be_rotated(std::string_view name, std::string_view candidate);
/// Whether `candidate` is `name` with something added, as in x.log.1 and x.log-20261123.
bool is_extended(std::string_view name, std::string_view candidate);
bool has_gzip_name(std::string_view path);

}  // namespace enclave::pipeline
