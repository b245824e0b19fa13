#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::pipeline {

/// Where something listens: an address of this machine, and one port or the first free one of several.
struct ListenAddress {
  std::string host = "127.0.0.1";  ///< an IP address without brackets
  std::uint16_t first = 0, last = 0;

  bool is_loopback() const;
  /// "127.0.0.1:8471", "[::1]:8471".
  std::string text(std::uint16_t port) const;
  bool operator==(const ListenAddress&) const = default;
};

/// "127.0.0.1:8471", "[::1]:8471", "localhost:8471", and port ranges: "127.0.0.1:9600-9700". Names are not looked up.
/// Fault::invalid.
Result<ListenAddress> parse_listen_address(std::string_view text);
/// The same in two parts.
Result<ListenAddress> parse_listen_address(std::string_view host, std::string_view ports);

}  // namespace enclave::pipeline
