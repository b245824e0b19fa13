#include "pipeline/filebeat/network.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace enclave::pipeline::filebeat {
namespace {

template <class T>
bool read_number(std::string_view text, T& into, int base, std::size_t digits) {
  if (text.empty() || text.size() > digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_four(std::string_view text, std::uint8_t* into) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || !read_number(text.substr(0, dot), into[i], 10, 3)) return false;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

/// Groups between colons; the last may be an IPv4 address.
bool read_groups(std::string_view text, std::vector<std::uint8_t>& into) {
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, colon);
    if (colon == text.size() && group.find('.') != std::string_view::npos) {
      into.resize(into.size() + 4);
      return read_four(group, into.data() + into.size() - 4);
    }
    std::uint16_t number = 0;
    if (!read_number(group, number, 16, 4) || into.size() > 14) return false;
    into.push_back(static_cast<std::uint8_t>(number >> 8));
    into.push_back(static_cast<std::uint8_t>(number));
    if (colon + 1 == text.size()) return false;
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  return true;
}

bool is_four(const Address& a) {
  return std::all_of(a.begin(), a.begin() + 10, [](auto byte) { return byte == 0; }) && a[10] == 0xff && a[11] == 0xff;
}

bool fits(const Address& address, const Address& network, std::size_t bits) {
  for (std::size_t i = 0; i < 16 && bits > 0; ++i) {
    const std::size_t here = std::min<std::size_t>(bits, 8);
    if ((address[i] ^ network[i]) >> (8 - here) != 0) return false;
    bits -= here;
  }
  return true;
}

bool in(const Address& address, std::string_view network);

bool is_named(const Address& a, std::string_view name) {
  const bool four = is_four(a);
  if (name == "loopback") return four ? a[12] == 127 : in(a, "::1/128");
  if (name == "unspecified") return four ? in(a, "0.0.0.0/32") : in(a, "::/128");
  const bool multicast = four ? a[12] >> 4 == 14 : a[0] == 0xff;
  if (name == "multicast") return multicast;
  if (name == "interface_local_multicast") return !four && a[0] == 0xff && (a[1] & 0xf) == 1;
  if (name == "link_local_multicast") return four ? in(a, "224.0.0.0/24") : a[0] == 0xff && (a[1] & 0xf) == 2;
  const bool link_local = four ? in(a, "169.254.0.0/16") : in(a, "fe80::/10");
  if (name == "link_local_unicast") return link_local;
  const bool broadcast = four && in(a, "255.255.255.255/32");
  const bool global =
      !broadcast && !multicast && !link_local && !is_named(a, "loopback") && !is_named(a, "unspecified");
  if (name == "unicast" || name == "global_unicast") return global;
  const bool own = four ? in(a, "10.0.0.0/8") || in(a, "172.16.0.0/12") || in(a, "192.168.0.0/16") : in(a, "fc00::/7");
  if (name == "private") return own;
  return name == "public" && global && !own;
}

bool in(const Address& address, std::string_view network) {
  const auto test = address_test(network);
  return test && (*test)(address);
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  Address out{};
  if (text.find(':') == std::string_view::npos) {
    out[10] = out[11] = 0xff;
    return read_four(text, out.data() + 12) ? std::optional(out) : std::nullopt;
  }
  const std::size_t gap = text.find("::");
  std::vector<std::uint8_t> front, back;
  if (!read_groups(text.substr(0, std::min(gap, text.size())), front)) return std::nullopt;
  if (gap != std::string_view::npos && !read_groups(text.substr(gap + 2), back)) return std::nullopt;
  const std::size_t bytes = front.size() + back.size();
  if (gap == std::string_view::npos ? bytes != 16 : bytes > 14) return std::nullopt;
  std::ranges::copy(front, out.begin());
  std::ranges::copy(back, out.end() - static_cast<std::ptrdiff_t>(back.size()));
  return out;
}

std::optional<AddressTest> address_test(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return [name = std::string(text)](const Address& address) { return is_named(address, name); };
  const auto network = parse_address(text.substr(0, slash));
  std::size_t bits = 0;
  if (!network || !read_number(text.substr(slash + 1), bits, 10, 3)) return std::nullopt;
  if (is_four(*network)) bits += 96;
  if (bits > 128) return std::nullopt;
  return [network = *network, bits](const Address& address) { return fits(address, network, bits); };
}

}  // namespace enclave::pipeline::filebeat
