#include "pipeline/ip_address.h"

#include <algorithm>
#include <charconv>

namespace enclave::pipeline {
namespace {

/// Four decimal numbers without leading zeros.
bool read_v4(std::string_view text, std::uint8_t* to) {
  for (int i = 0; i < 4; ++i) {
    const std::size_t size = std::min(text.find('.'), text.size());
    const std::string_view digits = text.substr(0, size);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return false;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + size, to[i]);
    if (fault != std::errc() || end != digits.data() + size || (i < 3) != (size < text.size())) return false;
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return true;
}

/// Groups of hexadecimal digits with colons between; into `to`, and how many bytes that were; the last may be four
/// decimal numbers.
std::optional<std::size_t> read_groups(std::string_view text, std::array<std::uint8_t, 16>& to) {
  std::size_t bytes = 0;
  while (!text.empty()) {
    // Not text.find(): GCC 12 loses sight of the size behind remove_prefix() and warns of memchr.
    const auto size = static_cast<std::size_t>(std::ranges::find(text, ':') - text.begin());
    const std::string_view group = text.substr(0, size);
    if (size == text.size() && group.find('.') != std::string_view::npos) {
      if (bytes > 12 || !read_v4(group, to.data() + bytes)) return std::nullopt;
      return bytes + 4;
    }
    std::uint16_t number = 0;
    const auto [end, fault] = std::from_chars(group.data(), group.data() + size, number, 16);
    if (size == 0 || size > 4 || bytes > 14 || fault != std::errc() || end != group.data() + size) return std::nullopt;
    to[bytes++] = static_cast<std::uint8_t>(number >> 8);
    to[bytes++] = static_cast<std::uint8_t>(number & 0xff);
    text.remove_prefix(size);
    if (text.size() == 1) return std::nullopt;
    if (!text.empty()) text.remove_prefix(1);
  }
  return bytes;
}

}  // namespace

std::optional<IpAddress> ip_address_of(std::string_view text) {
  IpAddress out;
  out.bits = text.find(':') == std::string_view::npos ? 32 : 128;
  if (out.bits == 32) return read_v4(text, out.bytes.data()) ? std::optional(out) : std::nullopt;
  const std::size_t gap = text.find("::");
  const auto head = read_groups(text.substr(0, gap), out.bytes);
  if (!head || (gap == std::string_view::npos && *head != 16)) return std::nullopt;
  if (gap == std::string_view::npos) return out;
  std::array<std::uint8_t, 16> end{};
  const auto tail = read_groups(text.substr(gap + 2), end);
  if (!tail || *head + *tail > 14) return std::nullopt;
  std::copy_n(end.begin(), *tail, out.bytes.end() - static_cast<std::ptrdiff_t>(*tail));
  return out;
}

}  // namespace enclave::pipeline
