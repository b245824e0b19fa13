#pragma once

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

/// Unpadded and canonical, as age has it.
Result<std::string> from_raw_base64(std::string_view text);
std::string to_raw_base64(std::string_view bytes);

}  // namespace enclave::crypto
