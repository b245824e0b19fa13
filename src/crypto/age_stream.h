#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "crypto/age.h"

/// An age file written and read by chunks, in any order and by several threads: for files that are sent and fetched in
/// parts. What is written is what age_encrypt() writes.
namespace enclave::crypto {

/// Plain bytes of every chunk but the last one, and its bytes in the file.
inline constexpr std::uint64_t kAgeStreamChunk = 64 << 10;
inline constexpr std::uint64_t kAgeStreamSealedChunk = kAgeStreamChunk + 16;
/// An age file begins with it.
inline constexpr std::string_view kAgeMagic = "age-encryption.org/v1\n";

/// Thread-safe once made.
class AgeWriter {
 public:
  /// 1 to 64 recipients.
  static Result<AgeWriter> begin(std::span<const AgeRecipient> recipients, Random& random);
  /// Goes on with a file of which preface() and file_key() were kept. The plain text must be the very same: another one
  /// under the same key would betray both. Fault::corrupt when the two do not belong together.
  static Result<AgeWriter> resume(std::string preface, Secret file_key);

  /// What stands before the chunks.
  const std::string& preface() const { return preface_; }
  /// Opens the whole file. For a 0600 file only.
  const Secret& file_key() const { return file_key_; }
  std::uint64_t file_bytes(std::uint64_t plain_bytes) const;

  /// Appends chunk `first` and the following ones. `plain` is whole chunks, but for the end of the file. `last`: the
  /// file ends with it; an empty file has one empty chunk.
  void seal(std::uint64_t first, std::string_view plain, bool last, std::string& out) const;

 private:
  AgeWriter(std::string preface, Secret file_key) : preface_(std::move(preface)), file_key_(std::move(file_key)) {}
  std::string preface_;
  Secret file_key_;
};

/// Thread-safe once made.
class AgeReader {
 public:
  /// `head`: the beginning of the file, at least its header and 16 bytes more. `file_bytes`: of the whole file. Faults:
  /// denied (no identity fits), corrupt (no age file, changed, or of a length that none has).
  static Result<AgeReader> begin(std::string_view head, std::uint64_t file_bytes,
                                 std::span<const AgeIdentity> identities);

  std::uint64_t plain_bytes() const { return plain_bytes_; }
  std::uint64_t chunks() const { return chunks_; }
  /// Where a chunk begins in the file; of chunks(): where the file ends.
  std::uint64_t offset_of(std::uint64_t chunk) const;
  std::uint64_t preface_bytes() const { return preface_bytes_; }

  /// Opens the whole chunks in `sealed`, the first of which has the number `first`. Appends the plain text of those
  /// that are authentic; Fault::corrupt names the first that is not.
  Result<void> open(std::uint64_t first, std::string_view sealed, std::string& out) const;

 private:
  AgeReader() = default;
  Secret file_key_;
  std::string nonce_;
  std::uint64_t preface_bytes_ = 0;
  std::uint64_t plain_bytes_ = 0;
  std::uint64_t chunks_ = 0;
};

/// Of an age file with `recipients` X25519 recipients, as age_encrypt() writes it: what stands before its chunks.
std::uint64_t age_preface_bytes(std::size_t recipients);

}  // namespace enclave::crypto
