#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace enclave::pipeline {

/// An address of IPv4, in the first four bytes, or of IPv6, in network order.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  unsigned bits = 0;  ///< 32 or 128
};

/// As RFC 4291 §2.2 writes them, and four decimal numbers without leading zeros. Asks nobody: no names, no zones.
std::optional<IpAddress> ip_address_of(std::string_view text);

}  // namespace enclave::pipeline
