#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace enclave::pipeline {

/// MurmurHash3 by Austin Appleby (public domain), seed 0: x86_32. No protection against anybody.
std::uint32_t murmur3_32(std::string_view bytes);
/// The same family's x64_128, both halves.
std::array<std::uint64_t, 2> murmur3_128(std::string_view bytes);

}  // namespace enclave::pipeline
