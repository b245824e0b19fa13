#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/ports.h"
#include "crypto/secret.h"

/// Ed25519 (RFC 8032), pure.
namespace enclave::crypto {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

/// The private key is its 32-byte seed.
class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey generate(Random& random);
  /// 32 bytes; Fault::invalid otherwise.
  static Result<Ed25519PrivateKey> from_seed(Secret seed);

  const Ed25519PublicKey& public_key() const { return public_key_; }
  const Secret& seed() const { return seed_; }
  Ed25519Signature sign(std::string_view message) const;

 private:
  Ed25519PrivateKey(Secret seed, Ed25519PublicKey public_key) : seed_(std::move(seed)), public_key_(public_key) {}
  Secret seed_;
  Ed25519PublicKey public_key_;
};

bool verify(const Ed25519PublicKey& key, std::string_view message, const Ed25519Signature& signature);

}  // namespace enclave::crypto
