#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace enclave::crypto {

inline constexpr std::uint64_t kPkcs12BytesMax = 16 << 20;
inline constexpr std::int64_t kPkcs12IterationsMax = 1'000'000;  ///< of each derivation of a key

/// The secret key of that name in a PKCS #12 store (RFC 7292), as Java's key stores hold it: a secret bag with a
/// shrouded key. Bytes behind the store are passed over. Names are compared without regard to case, which Java does not
/// keep; `iterations_max` bounds the time it may take.
/// Faults: absent (no such name), denied (another password), corrupt (no such store), limit, unsupported (a cipher that
/// OpenSSL has not).
Result<Secret> pkcs12_secret(std::string_view store, const Secret& password, std::string_view name,
                             std::int64_t iterations_max = kPkcs12IterationsMax);

/// PBKDF2 with HMAC-SHA-512 (RFC 8018).
Secret pbkdf2_sha512(std::string_view password, std::string_view salt, int iterations, std::size_t bytes);

}  // namespace enclave::crypto
