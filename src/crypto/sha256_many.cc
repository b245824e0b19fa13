#include "crypto/sha256_many.h"

#include <cstring>

#include "base/result.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace enclave::crypto {
namespace {

void one_by_one(std::uint8_t prefix, std::span<const std::string_view> messages, std::span<Digest> out) {
  const char first = static_cast<char>(prefix);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Sha256 hash;
    hash.update({&first, 1});
    hash.update(messages[i]);
    out[i] = hash.finish();
  }
}

#if defined(__x86_64__)

bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & (1U << 29)) == 0) return false;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & (1U << 19)) != 0 && (c & (1U << 9)) != 0;  // SSE4.1 and SSSE3
}

// FIPS 180-4 section 4.2.2.
alignas(16) constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// The eight words in the order in which the instructions want them: ABEF and CDGH.
struct State {
  __m128i abef, cdgh;
};

__attribute__((target("sha,sse4.1,ssse3"))) State initial_state() {
  return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f, static_cast<int>(0x9b05688c)),
          _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab, 0x5be0cd19)};
}

/// One block for each of two states. The chains do not depend on each other, so the processor overlaps them.
__attribute__((target("sha,sse4.1,ssse3"))) void compress_two(State& x, const char* block_x, State& y,
                                                              const char* block_y) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  State a = x, b = y;
  __m128i wa[4], wb[4];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if (i < 4) {
      wa[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block_x + 16 * i)), swap);
      wb[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block_y + 16 * i)), swap);
    } else {
      const int at = i % 4, p1 = (i + 1) % 4, p2 = (i + 2) % 4, p3 = (i + 3) % 4;
      wa[at] = _mm_sha256msg2_epu32(
          _mm_add_epi32(_mm_sha256msg1_epu32(wa[at], wa[p1]), _mm_alignr_epi8(wa[p3], wa[p2], 4)), wa[p3]);
      wb[at] = _mm_sha256msg2_epu32(
          _mm_add_epi32(_mm_sha256msg1_epu32(wb[at], wb[p1]), _mm_alignr_epi8(wb[p3], wb[p2], 4)), wb[p3]);
    }
    const __m128i k = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound + 4 * i));
    __m128i ta = _mm_add_epi32(wa[i % 4], k), tb = _mm_add_epi32(wb[i % 4], k);
    a.cdgh = _mm_sha256rnds2_epu32(a.cdgh, a.abef, ta);
    b.cdgh = _mm_sha256rnds2_epu32(b.cdgh, b.abef, tb);
    ta = _mm_shuffle_epi32(ta, 0x0e);
    tb = _mm_shuffle_epi32(tb, 0x0e);
    a.abef = _mm_sha256rnds2_epu32(a.abef, a.cdgh, ta);
    b.abef = _mm_sha256rnds2_epu32(b.abef, b.cdgh, tb);
  }
  x.abef = _mm_add_epi32(x.abef, a.abef);
  x.cdgh = _mm_add_epi32(x.cdgh, a.cdgh);
  y.abef = _mm_add_epi32(y.abef, b.abef);
  y.cdgh = _mm_add_epi32(y.cdgh, b.cdgh);
}

void put_words(__m128i words, int first, int second, int third, int fourth, Digest& digest) {
  alignas(16) std::uint32_t word[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(word), words);
  const int to[4] = {first, second, third, fourth};
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t swapped = __builtin_bswap32(word[i]);
    std::memcpy(digest.data() + 4 * to[i], &swapped, 4);
  }
}

/// One message on its way: gives its blocks one after the other, the prefix before and the padding behind.
class Lane {
 public:
  /// False when there is no message left.
  bool begin(std::uint8_t prefix, std::string_view message) {
    state = initial_state();
    message_ = message;
    total_ = message.size() + 1;
    blocks_ = (total_ + 1 + 8 + 63) / 64;
    next_ = 0;
    prefix_ = prefix;
    return true;
  }
  bool done() const { return next_ == blocks_; }

  const char* next_block() {
    const std::size_t from = 64 * next_++;  // in the message with its prefix
    if (from > 0 && from + 64 <= total_) return message_.data() + from - 1;
    if (message_.size() < 64) return short_block(from);
    return from == 0 ? first_block() : end_block(from);
  }

  void finish(Digest& digest) const {
    put_words(state.abef, 5, 4, 1, 0, digest);
    put_words(state.cdgh, 7, 6, 3, 2, digest);
  }

  State state{};

 private:
  // Copies of fixed size, and stored as they are loaded again: the processor need not wait for its own stores.
  const char* first_block() {
    const auto part = [&](std::size_t at) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(message_.data() + at));
    };
    auto* to = reinterpret_cast<__m128i*>(scratch_);
    _mm_store_si128(to, _mm_or_si128(_mm_slli_si128(part(0), 1), _mm_cvtsi32_si128(prefix_)));
    for (std::size_t i = 1; i < 4; ++i) _mm_store_si128(to + i, part(16 * i - 1));
    return scratch_;
  }

  // The last 64 bytes of the message are put where those that belong to earlier blocks fall before the block.
  const char* end_block(std::size_t from) {
    const std::size_t left = total_ > from ? total_ - from : 0;
    std::memcpy(scratch_ + left, message_.data() + message_.size() - 64, 64);
    std::memset(scratch_ + 64 + left, 0, 64);
    if (total_ >= from) scratch_[64 + left] = static_cast<char>(0x80);
    if (done()) put_length(scratch_ + 64);
    return scratch_ + 64;
  }

  const char* short_block(std::size_t from) {
    std::memset(scratch_, 0, 64);
    std::size_t filled = 0;
    if (from == 0) scratch_[filled++] = static_cast<char>(prefix_);
    if (from < total_) {
      const std::size_t at = from == 0 ? 0 : from - 1;
      const std::size_t take = std::min(64 - filled, message_.size() - at);
      if (take > 0) std::memcpy(scratch_ + filled, message_.data() + at, take);
      filled += take;
    }
    if (filled < 64 && from + filled == total_) scratch_[filled] = static_cast<char>(0x80);
    if (done()) put_length(scratch_);
    return scratch_;
  }

  void put_length(char* block) const {
    const std::uint64_t bits = __builtin_bswap64(std::uint64_t{total_} * 8);
    std::memcpy(block + 56, &bits, 8);
  }

  std::string_view message_;
  std::size_t total_ = 0, blocks_ = 0, next_ = 0;
  int prefix_ = 0;
  alignas(16) char scratch_[192];
};

void two_by_two(std::uint8_t prefix, std::span<const std::string_view> messages, std::span<Digest> out) {
  static constexpr char kIdle[64] = {};
  Lane lanes[2];
  std::size_t index[2] = {0, 1}, next = 2;
  bool busy[2] = {true, messages.size() > 1};
  lanes[0].begin(prefix, messages[0]);
  if (busy[1]) lanes[1].begin(prefix, messages[1]);
  while (busy[0] || busy[1]) {
    const char* first = busy[0] ? lanes[0].next_block() : kIdle;
    const char* second = busy[1] ? lanes[1].next_block() : kIdle;
    compress_two(lanes[0].state, first, lanes[1].state, second);
    for (std::size_t k = 0; k < 2; ++k) {
      if (!busy[k] || !lanes[k].done()) continue;
      lanes[k].finish(out[index[k]]);
      busy[k] = next < messages.size();
      if (!busy[k]) continue;
      index[k] = next++;
      lanes[k].begin(prefix, messages[index[k]]);
    }
  }
}

#endif

}  // namespace

void sha256_many(std::uint8_t prefix, std::span<const std::string_view> messages, std::span<Digest> out) {
  ENSURE(out.size() == messages.size());
#if defined(__x86_64__)
  static const bool fast = has_sha_instructions();
  if (fast && messages.size() > 1) return two_by_two(prefix, messages, out);
#endif
  one_by_one(prefix, messages, out);
}

}  // namespace enclave::crypto
