#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace enclave::crypto {

/// A SHA-256 digest (FIPS 180-4).
using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);

/// SHA-256 of bytes that come in pieces. Cheap to copy: a copy goes on from the same state.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// The digest of all so far. The object must not be used afterwards.
  Digest finish();

 private:
  SHA256_CTX state_;
};

}  // namespace enclave::crypto
