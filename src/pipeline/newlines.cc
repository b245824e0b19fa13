#include "pipeline/newlines.h"

#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace enclave::pipeline {
namespace {

std::size_t find_from(std::string_view block, std::size_t at, std::uint16_t* into) {
  std::size_t count = 0;
  while (at < block.size()) {
    const void* found = std::memchr(block.data() + at, '\n', block.size() - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const char*>(found) - block.data());
    into[count++] = static_cast<std::uint16_t>(at++);
  }
  return count;
}

#ifdef __x86_64__
// One look at 64 bytes for all their newlines; memchr would be called anew for every line.
__attribute__((target("avx2,bmi"))) std::size_t find_newlines_avx2(std::string_view block, std::uint16_t* into) {
  const __m256i wanted = _mm256_set1_epi8('\n');
  std::size_t count = 0;
  std::size_t at = 0;
  for (; at + 64 <= block.size(); at += 64) {
    const auto* bytes = reinterpret_cast<const __m256i*>(block.data() + at);
    const auto low =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(bytes), wanted)));
    const auto high =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(bytes + 1), wanted)));
    for (std::uint64_t mask = std::uint64_t{high} << 32 | low; mask != 0; mask &= mask - 1)
      into[count++] = static_cast<std::uint16_t>(at + static_cast<unsigned>(__builtin_ctzll(mask)));
  }
  return count + find_from(block, at, into + count);
}
#endif

}  // namespace

std::size_t find_newlines_portable(std::string_view block, std::span<std::uint16_t, kNewlineBlock> into) {
  return find_from(block, 0, into.data());
}

std::size_t find_newlines(std::string_view block, std::span<std::uint16_t, kNewlineBlock> into) {
#ifdef __x86_64__
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  if (wide) return find_newlines_avx2(block, into.data());
#endif
  return find_newlines_portable(block, into);
}

}  // namespace enclave::pipeline
