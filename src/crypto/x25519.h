#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "crypto/secret.h"

/// X25519 (RFC 7748 section 5), on OpenSSL. Scalars have 32 bytes.
namespace enclave::crypto {

using X25519Point = std::array<std::uint8_t, 32>;

/// The point that belongs to a scalar.
X25519Point x25519_public(const Secret& scalar);

/// The shared secret; none when it is all zeros (the point is of low order), which must not be used.
std::optional<Secret> x25519(const Secret& scalar, const X25519Point& point);

}  // namespace enclave::crypto
