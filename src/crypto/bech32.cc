#include "crypto/bech32.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "crypto/secret.h"

namespace enclave::crypto {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumDigits = 6;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c != lower(c); });
}

// The checksum's state, fed with values of five bits.
class Checksum {
 public:
  explicit Checksum(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<unsigned char>(lower(c)) >> 5);
    add(0);
    for (const char c : prefix) add(static_cast<unsigned char>(lower(c)) & 31);
  }
  void add(std::uint32_t value) {
    constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = state_ >> 25;
    state_ = (state_ & 0x1ffffff) << 5 ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i)
      if ((top >> i & 1) != 0) state_ ^= kGenerator[i];
  }
  std::uint32_t state() const { return state_; }

 private:
  std::uint32_t state_ = 1;
};

}  // namespace

std::string to_bech32(std::string_view prefix, std::string_view bytes) {
  std::string text;
  // Reserved whole, so that growing leaves no copy of a secret behind.
  text.reserve(prefix.size() + 1 + (bytes.size() * 8 + 4) / 5 + kChecksumDigits);
  text.append(prefix).push_back('1');
  const bool capitals = is_upper(prefix);
  Checksum checksum(prefix);
  const auto write = [&](std::uint32_t value) {
    text.push_back(capitals ? upper(kAlphabet[value]) : kAlphabet[value]);
    checksum.add(value);
  };
  std::uint32_t held = 0;
  int bits = 0;
  for (const char byte : bytes) {
    held = (held << 8 | static_cast<unsigned char>(byte)) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) write(held >> (bits - 5) & 31);
  }
  if (bits > 0) write(held << (5 - bits) & 31);
  Checksum end = checksum;
  for (std::size_t i = 0; i < kChecksumDigits; ++i) end.add(0);
  const std::uint32_t sum = end.state() ^ 1;
  for (std::size_t i = 0; i < kChecksumDigits; ++i) write(sum >> (5 * (5 - i)) & 31);
  return text;
}

Result<std::string> from_bech32(std::string_view prefix, std::string_view text) {
  if (text.size() < prefix.size() + 1 + kChecksumDigits || !text.starts_with(prefix) || text[prefix.size()] != '1')
    return Error{Fault::invalid, "it does not begin with \"{}1\"", prefix};
  const bool capitals = is_upper(prefix);
  const std::string_view digits = text.substr(prefix.size() + 1);
  const std::size_t data_digits = digits.size() - kChecksumDigits;
  Checksum checksum(prefix);
  std::string bytes;
  bytes.reserve(data_digits * 5 / 8 + 1);
  std::uint32_t held = 0;
  int bits = 0;
  const auto refuse = [&](Error error) {
    wipe(bytes.data(), bytes.size());
    return error;
  };
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto value = kAlphabet.find(lower(digits[i]));
    if (value == std::string_view::npos || digits[i] != (capitals ? upper(digits[i]) : lower(digits[i])))
      return refuse({Fault::invalid, "its character {} does not belong there", prefix.size() + 2 + i});
    checksum.add(static_cast<std::uint32_t>(value));
    if (i >= data_digits) continue;
    held = (held << 5 | static_cast<std::uint32_t>(value)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>(held >> bits & 255));
  }
  if (checksum.state() != 1)
    return refuse({Fault::invalid, "its checksum does not fit: a character is wrong or missing"});
  // One text for one value: no whole digit of padding, and no bit set in it.
  if (bits >= 5 || (held & ((1U << bits) - 1)) != 0) return refuse({Fault::invalid, "bits are set in its padding"});
  return bytes;
}

}  // namespace enclave::crypto
