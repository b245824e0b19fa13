#include "base/encoding.h"

#include <array>
#include <charconv>
#include <cstring>

namespace enclave {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> reverse_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return table;
}

constexpr auto kFromHex = reverse_of(std::string_view(kHex, 16));
constexpr auto kFromBase64 = reverse_of(std::string_view(kBase64, 64));

int value_in(const std::array<std::int8_t, 256>& table, char c) { return table[static_cast<unsigned char>(c)]; }

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Error{Fault::invalid, "hex text of odd length {}", text.size()};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value_in(kFromHex, text[i]);
    const int low = value_in(kFromHex, text[i + 1]);
    if (high < 0 || low < 0) return Error{Fault::invalid, "not lower-case hex at character {}", i};
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const auto at = [&](std::size_t k) -> std::uint32_t {
      return k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const std::uint32_t word = at(0) << 16 | at(1) << 8 | at(2);
    text.push_back(kBase64[word >> 18 & 63]);
    text.push_back(kBase64[word >> 12 & 63]);
    text.push_back(left > 1 ? kBase64[word >> 6 & 63] : '=');
    text.push_back(left > 2 ? kBase64[word & 63] : '=');
  }
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return Error{Fault::invalid, "base64 text of {} characters is not a multiple of 4", text.size()};
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int pads = !last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int value = k >= 4U - static_cast<unsigned>(pads) ? 0 : value_in(kFromBase64, text[i + k]);
      if (value < 0) return Error{Fault::invalid, "not base64 at character {}", i + k};
      word = word << 6 | static_cast<std::uint32_t>(value);
    }
    if ((pads == 2 && (word & 0xffff) != 0) || (pads == 1 && (word & 0xff) != 0))
      return Error{Fault::invalid, "base64 text with bits set in its padding"};
    bytes.push_back(static_cast<char>(word >> 16));
    if (pads < 2) bytes.push_back(static_cast<char>(word >> 8 & 255));
    if (pads < 1) bytes.push_back(static_cast<char>(word & 255));
  }
  return bytes;
}

Result<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0') || text[0] < '0' || text[0] > '9')
    return Error{Fault::invalid, "\"{}\" is not a decimal number", text.substr(0, 32)};
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return Error{Fault::invalid, "\"{}\" is not a decimal number below 2^64", text.substr(0, 32)};
  return value;
}

bool is_utf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = at + bytes.size();
  while (at != end) {
    // Log lines are nearly all ASCII: eight at a time.
    while (end - at >= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      if (word & 0x8080808080808080U) break;
      at += 8;
    }
    if (at == end) return true;
    const unsigned char lead = *at;
    if (lead < 0x80) {
      ++at;
      continue;
    }
    int more;
    unsigned char low = 0x80,
                  high = 0xbf;  // bounds of the second byte: no overlong form, no surrogate, no more than U+10FFFF
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - at <= more || at[1] < low || at[1] > high) return false;
    for (int i = 2; i <= more; ++i)
      if (at[i] < 0x80 || at[i] > 0xbf) return false;
    at += more + 1;
  }
  return true;
}

}  // namespace enclave
