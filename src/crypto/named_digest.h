#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::crypto {

/// Digests that people's configurations name. MD5 and SHA-1 are checksums only: they protect nothing.
enum class DigestName : std::uint8_t { md5, sha1, sha256, sha384, sha512 };

/// The digest of `bytes`, 16 to 64 bytes. Fault::unsupported where OpenSSL has none of that name.
Result<std::string> digest_of(DigestName name, std::string_view bytes);
/// HMAC (RFC 2104) under `key`, which may be empty. Fault::unsupported as above.
Result<std::string> hmac_of(DigestName name, std::string_view key, std::string_view bytes);

}  // namespace enclave::crypto
