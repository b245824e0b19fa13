#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

/// Authenticated encryption and key derivation, on OpenSSL. Not thread-safe; contexts are reused between calls.
namespace enclave::crypto {

enum class Cipher : std::uint8_t { aes_256_gcm, chacha20_poly1305 };

/// 32-byte key, 12-byte nonce, 16-byte tag behind the ciphertext. A nonce must never be used twice with one key.
class Aead {
 public:
  using Nonce = std::array<std::uint8_t, 12>;
  static constexpr std::size_t kTagBytes = 16;

  Aead(Cipher cipher, const Secret& key);
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  /// Appends ciphertext and tag to `out`.
  void seal(const Nonce& nonce, std::string_view associated, std::string_view plain, std::string& out);
  /// The same in place: what stands in `text` from `from` on becomes ciphertext and tag.
  void seal_tail(const Nonce& nonce, std::string_view associated, std::string& text, std::size_t from);
  /// Appends the plain text to `out`; Fault::corrupt, and nothing appended, when key, nonce, associated data or bytes
  /// are not those of seal().
  Result<void> open(const Nonce& nonce, std::string_view associated, std::string_view sealed, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HKDF-SHA-256 (RFC 5869). At most 255 × 32 bytes.
Secret hkdf_sha256(const Secret& key, std::string_view salt, std::string_view info, std::size_t bytes);
std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view message);

}  // namespace enclave::crypto
