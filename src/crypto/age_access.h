#pragma once

#include "crypto/aead.h"
#include "crypto/age.h"

namespace enclave::crypto {

/// How the format's code reaches what keys keep to themselves. Included by src/crypto/age*.cc only.
class AgeAccess {
 public:
  static const std::array<std::uint8_t, 32>& point(const AgeRecipient& recipient) { return recipient.point_; }
  static const Secret& scalar(const AgeIdentity& identity) { return identity.scalar_; }
};

inline constexpr std::size_t kAgeHeaderBytesMax = 64 << 10;
inline constexpr std::string_view kAgeVersionLine = "age-encryption.org/v1\n";

inline constexpr std::size_t kAgeFileKeyBytes = 16;
inline constexpr std::size_t kAgeNonceBytes = 16;
inline constexpr std::size_t kAgeChunkBytes = 64 << 10;
inline constexpr std::size_t kAgeSealedChunkBytes = kAgeChunkBytes + Aead::kTagBytes;

/// What stands before the chunks, with the payload's nonce, and the key of the file.
struct AgeBegun {
  std::string preface;
  Secret file_key;
};
Result<AgeBegun> begin_age_file(std::span<const AgeRecipient> recipients, Random& random);

/// The key of a file whose header parse_age_header() read, after its MAC was checked.
Result<Secret> open_age_header(std::string_view file, const AgeHeader& header, std::span<const AgeIdentity> identities);

/// Whether the key is that of the file with this header.
bool is_age_key(std::string_view file, const AgeHeader& header, const Secret& file_key);

Aead age_payload_cipher(const Secret& file_key, std::string_view nonce);
/// 11 bytes of big-endian chunk number, and whether it is the last chunk.
Aead::Nonce age_chunk_nonce(std::uint64_t number, bool last);

/// Unpadded and canonical, as age has it.
Result<std::string> from_raw_base64(std::string_view text);
std::string to_raw_base64(std::string_view bytes);

}  // namespace enclave::crypto
