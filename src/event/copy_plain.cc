#include "event/copy_plain.h"

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace enclave::event {
namespace {

std::size_t copy_bytes(std::string_view from, char* to, bool high_is_fine) {
  for (std::size_t at = 0; at < from.size(); ++at) {
    const auto c = static_cast<unsigned char>(from[at]);
    if (c < 0x20 || c == '"' || c == '\\' || (c >= 0x80 && !high_is_fine)) return at;
    to[at] = from[at];
  }
  return from.size();
}

#if defined(__x86_64__)
std::size_t copy_sse2(std::string_view from, char* to, bool high_is_fine) {
  std::size_t at = 0;
  for (; at + 16 <= from.size(); at += 16) {
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data() + at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), text);
    // As signed bytes everything from 0x80 up is below 0x20 too.
    const __m128i low = _mm_cmplt_epi8(text, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
    const __m128i slash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash))));
    if (high_is_fine) mask &= ~static_cast<unsigned>(_mm_movemask_epi8(text));
    if (mask != 0) return at + static_cast<unsigned>(__builtin_ctz(mask));
  }
  return at + copy_bytes(from.substr(at), to + at, high_is_fine);
}

// The mask of what is there spares the last bytes a loop of their own: half of the time of a short line.
__attribute__((target("avx512f,avx512bw"))) std::size_t copy_avx512(std::string_view from, char* to,
                                                                    bool high_is_fine) {
  const __m512i space = _mm512_set1_epi8(0x20), quote = _mm512_set1_epi8('"'), slash = _mm512_set1_epi8('\\');
  for (std::size_t at = 0; at < from.size(); at += 64) {
    const std::size_t left = from.size() - at;
    const __mmask64 there = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
    const __m512i text = _mm512_maskz_loadu_epi8(there, from.data() + at);
    _mm512_storeu_si512(to + at, text);
    const __mmask64 low = high_is_fine ? _mm512_mask_cmplt_epu8_mask(there, text, space)
                                       : _mm512_mask_cmplt_epi8_mask(there, text, space);
    const __mmask64 mask = low | _mm512_cmpeq_epi8_mask(text, quote) | _mm512_cmpeq_epi8_mask(text, slash);
    if (mask != 0) return at + static_cast<unsigned>(__builtin_ctzll(mask));
  }
  return from.size();
}

bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }
#endif

}  // namespace

std::size_t copy_plain(std::string_view from, char* to, bool high_is_fine) {
#if defined(__x86_64__)
  static const bool wide = has_avx512();
  return wide ? copy_avx512(from, to, high_is_fine) : copy_sse2(from, to, high_is_fine);
#else
  return copy_bytes(from, to, high_is_fine);
#endif
}

std::vector<CopyPlain> all_copy_plain() {
  std::vector<CopyPlain> all{copy_bytes};
#if defined(__x86_64__)
  all.push_back(copy_sse2);
  if (has_avx512()) all.push_back(copy_avx512);
#endif
  return all;
}

}  // namespace enclave::event
