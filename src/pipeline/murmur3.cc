#include "pipeline/murmur3.h"

#include <bit>
#include <cstddef>

namespace enclave::pipeline {
namespace {

/// Little endian, as the hash is defined; what is missing at the end is 0.
std::uint64_t load(std::string_view bytes, std::size_t most) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < most && i < bytes.size(); ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

std::uint64_t finish_64(std::uint64_t k) {
  k = (k ^ (k >> 33)) * 0xff51afd7ed558ccd;
  k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53;
  return k ^ (k >> 33);
}

}  // namespace

std::uint32_t murmur3_32(std::string_view bytes) {
  const auto mix = [](std::uint32_t k) { return std::rotl(k * 0xcc9e2d51U, 15) * 0x1b873593U; };
  std::uint32_t h = 0;
  const auto size = static_cast<std::uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes.remove_prefix(4))
    h = std::rotl(h ^ mix(static_cast<std::uint32_t>(load(bytes, 4))), 13) * 5 + 0xe6546b64U;
  if (!bytes.empty()) h ^= mix(static_cast<std::uint32_t>(load(bytes, 4)));
  h ^= size;
  h = (h ^ (h >> 16)) * 0x85ebca6bU;
  h = (h ^ (h >> 13)) * 0xc2b2ae35U;
  return h ^ (h >> 16);
}

std::array<std::uint64_t, 2> murmur3_128(std::string_view bytes) {
  constexpr std::uint64_t kFirst = 0x87c37b91114253d5, kSecond = 0x4cf5ad432745937f;
  const auto mix_first = [](std::uint64_t k) { return std::rotl(k * kFirst, 31) * kSecond; };
  const auto mix_second = [](std::uint64_t k) { return std::rotl(k * kSecond, 33) * kFirst; };
  std::uint64_t h1 = 0, h2 = 0;
  const std::uint64_t size = bytes.size();
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    h1 = (std::rotl(h1 ^ mix_first(load(bytes, 8)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mix_second(load(bytes.substr(8), 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (bytes.size() > 8) h2 ^= mix_second(load(bytes.substr(8), 8));
  if (!bytes.empty()) h1 ^= mix_first(load(bytes, 8));
  h1 ^= size;
  h2 ^= size;
  h1 += h2;
  h2 += h1;
  h1 = finish_64(h1);
  h2 = finish_64(h2);
  h1 += h2;
  return {h1, h2 + h1};
}

}  // namespace enclave::pipeline
