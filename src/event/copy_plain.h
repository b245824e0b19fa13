#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace enclave::event {

/// Behind what copy_plain() copies up to this many bytes of `to` may be overwritten.
inline constexpr std::size_t kCopyOverrun = 64;

/// Copies bytes that can stand in a JSON string as they are, up to the first that cannot: control characters, quotes,
/// backslashes and, unless `high_is_fine`, everything from 0x80 on. Gives how many were copied. `to` has room for
/// all of `from` and kCopyOverrun more.
std::size_t copy_plain(std::string_view from, char* to, bool high_is_fine);

/// The same for texts of less than 16 bytes, as names and most values are: without a call.
inline std::size_t copy_plain_short(std::string_view from, char* to, bool high_is_fine) {
#if defined(__x86_64__)
  const std::size_t size = from.size();
  const char* const text = from.data();
  // Pieces that overlap, instead of a loop, or of bytes that are not ours.
  std::uint64_t low = 0, high = 0;
  if (size >= 8) {
    std::memcpy(&low, text, 8);
    std::memcpy(&high, text + size - 8, 8);
    high = size == 8 ? 0 : high >> (8 * (16 - size));
  } else if (size >= 4) {
    std::uint32_t begin = 0, end = 0;
    std::memcpy(&begin, text, 4);
    std::memcpy(&end, text + size - 4, 4);
    low = begin | (std::uint64_t{end} << (8 * (size - 4)));
  } else if (size > 0) {
    const auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(text[at])} << (8 * at); };
    low = byte(0) | byte(size / 2) | byte(size - 1);
  }
  const __m128i all = _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), all);
  // As signed bytes everything from 0x80 up is below 0x20 too.
  const __m128i control = _mm_cmplt_epi8(all, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(all, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(all, _mm_set1_epi8('\\'));
  auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, slash))));
  if (high_is_fine) mask &= ~static_cast<unsigned>(_mm_movemask_epi8(all));
  mask &= (1U << size) - 1;
  return mask == 0 ? size : static_cast<std::size_t>(__builtin_ctz(mask));
#else
  return copy_plain(from, to, high_is_fine);
#endif
}

/// The inside of a JSON string: quotes and backslashes escaped. Null when there is more that cannot stand in one as it
/// is. There is room for twice the text and kCopyOverrun more. Gives the end of what was written.
inline char* copy_escaping_quotes(std::string_view text, char* to) {
  for (;;) {
    const std::size_t plain = text.size() < 16 ? copy_plain_short(text, to, false) : copy_plain(text, to, false);
    to += plain;
    if (plain == text.size()) return to;
    const char c = text[plain];
    if (c != '"' && c != '\\') return nullptr;
    *to++ = '\\';
    *to++ = c;
    text.remove_prefix(plain + 1);
  }
}

/// The ways to do that which this processor knows, for tests.
using CopyPlain = std::size_t (*)(std::string_view from, char* to, bool high_is_fine);
std::vector<CopyPlain> all_copy_plain();

}  // namespace enclave::event
