#pragma once

#include <cstdint>
#include <string_view>

namespace enclave {

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4). `seed` is the CRC of the bytes before:
/// crc32c(b, crc32c(a)) is the CRC of a followed by b. Finds accidents, not attacks.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// The same without the processor's instruction: what machines without it run.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace enclave
