#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace enclave::pipeline::filebeat {

/// 16 bytes; IPv4 as ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;
using AddressTest = std::function<bool(const Address&)>;

std::optional<Address> parse_address(std::string_view text);
/// "10.0.0.0/8", or a name of Filebeat's, such as "private". None when it is neither.
std::optional<AddressTest> address_test(std::string_view text);

}  // namespace enclave::pipeline::filebeat
