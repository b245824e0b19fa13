#include "pipeline/config/listen_address.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "pipeline/ip_address.h"

namespace enclave::pipeline {
namespace {

/// 0: it is none.
std::uint16_t port_of(std::string_view text) {
  const auto number = parse_number(text);
  return number && *number <= UINT16_MAX ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
}

}  // namespace

bool ListenAddress::is_loopback() const {
  const auto address = ip_address_of(host);
  if (!address) return false;
  if (address->bits == 32) return address->bytes[0] == 127;
  for (std::size_t i = 0; i < 15; ++i)
    if (address->bytes[i] != 0) return false;
  return address->bytes[15] == 1;
}

std::string ListenAddress::text(std::uint16_t port) const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<ListenAddress> parse_listen_address(std::string_view host, std::string_view ports) {
  ListenAddress address;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host != "localhost") address.host = host;
  if (!ip_address_of(address.host))
    return Error{Fault::invalid, "\"{}\" is no IP address of this machine; write one such as 127.0.0.1",
                 host.substr(0, 100)};
  const std::size_t dash = ports.find('-');
  address.first = port_of(ports.substr(0, dash));
  address.last = dash == std::string_view::npos ? address.first : port_of(ports.substr(dash + 1));
  if (address.first == 0 || address.last < address.first)
    return Error{Fault::invalid, "\"{}\" is no port; write one from 1 to 65535, such as 8471", ports.substr(0, 100)};
  return address;
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool whole = colon != std::string_view::npos && colon > 0 && colon + 1 < text.size();
  // An address of IPv6 without brackets has a port that looks like a part of it.
  const bool bare = whole && text[0] != '[' && text.find(':') != colon;
  if (!whole || bare)
    return Error{Fault::invalid, "\"{}\" is not ADDRESS:PORT; write one such as 127.0.0.1:8471 or [::1]:8471",
                 text.substr(0, 100)};
  return parse_listen_address(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace enclave::pipeline
