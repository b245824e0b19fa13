#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/digest.h"

namespace enclave::crypto {

/// out[i] = SHA-256(prefix || messages[i]), for many short messages: the leaves and nodes of Merkle trees (RFC 6962).
/// One SHA-256 waits for itself most of the time; where the processor has SHA instructions two messages are hashed side
/// by side, elsewhere OpenSSL hashes one after the other. `out` is as long as `messages` and may not overlap them.
void sha256_many(std::uint8_t prefix, std::span<const std::string_view> messages, std::span<Digest> out);

}  // namespace enclave::crypto
