#include "pipeline/beats_seen_state.h"

#include <charconv>

#include "base/encoding.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kKeyHex = 48, kNumberBytesMax = 10;

void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void put_hash(std::string& out, std::uint64_t hash, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(hash >> (8 * i) & 255);
}

class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < kNumberBytesMax && !rest_.empty(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  std::uint64_t hash(std::size_t bytes) {
    std::uint64_t value = 0;
    failed_ = failed_ || rest_.size() < bytes;
    if (failed_) return 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(bytes);
    return value;
  }
  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

template <class Number>
bool read_part(std::string_view& text, char end, int base, Number& into) {
  const std::size_t stop = end == '\0' ? text.size() : text.find(end);
  if (stop == std::string_view::npos || stop == 0) return false;
  const auto [behind, error] = std::from_chars(text.data(), text.data() + stop, into, base);
  const bool whole = error == std::errc() && behind == text.data() + stop;
  text.remove_prefix(std::min(text.size(), stop + 1));
  return whole;
}

}  // namespace

std::string format_seen(const SeenChunk& chunk) {
  std::string packed;
  for (const SeenRange& range : chunk.ranges) {
    put_number(packed, range.first);
    put_number(packed, range.last - range.first);
    put_hash(packed, range.first_hash, 4);
    put_hash(packed, range.time_hash, 4);
    put_hash(packed, range.last_hash, 2);
  }
  return fmt::format("1 {:x} {:x} {} {}", chunk.process, chunk.content, chunk.seconds, to_base64(packed));
}

Result<SeenChunk> parse_seen(std::string_view text) {
  const Error damaged{Fault::corrupt, "lines seen of a Beat: damaged"};
  SeenChunk chunk;
  const std::string_view whole = text;
  if (!text.starts_with("1 ")) return damaged;
  text.remove_prefix(2);
  if (!read_part(text, ' ', 16, chunk.process) || !read_part(text, ' ', 16, chunk.content) ||
      !read_part(text, ' ', 10, chunk.seconds))
    return damaged;
  const std::string packed = TRY(from_base64(text));
  Taker taker(packed);
  while (!taker.empty() && !taker.failed() && chunk.ranges.size() < SeenChunk::kRangesMax) {
    SeenRange range;
    range.first = taker.number();
    range.last = range.first + taker.number();
    range.first_hash = static_cast<std::uint32_t>(taker.hash(4));
    range.time_hash = static_cast<std::uint32_t>(taker.hash(4));
    range.last_hash = static_cast<std::uint16_t>(taker.hash(2));
    if (range.last < range.first) return damaged;
    chunk.ranges.push_back(range);
  }
  if (taker.failed() || !taker.empty() || chunk.ranges.empty() || format_seen(chunk) != whole) return damaged;
  return chunk;
}

std::string seen_prefix(std::uint64_t port) { return fmt::format("beats-seen:{}:", port); }

std::string seen_source(std::uint64_t port, const SeenKey& key, std::uint32_t number) {
  return fmt::format("{}{:016x}{:016x}{:016x}.{:x}", seen_prefix(port), key.scope, key.file[0], key.file[1], number);
}

Result<SeenName> parse_seen_source(std::string_view source, std::uint64_t port) {
  const Error wrong{Fault::corrupt, "{}: no lines seen of a Beat", source};
  SeenName name;
  const std::string prefix = seen_prefix(port);
  std::string_view rest = source;
  if (!rest.starts_with(prefix) || rest.size() < prefix.size() + kKeyHex + 2) return wrong;
  rest.remove_prefix(prefix.size());
  for (std::uint64_t* part : {&name.key.scope, &name.key.file[0], &name.key.file[1]}) {
    std::string_view digits = rest.substr(0, kKeyHex / 3);
    rest.remove_prefix(kKeyHex / 3);
    if (!read_part(digits, '\0', 16, *part)) return wrong;
  }
  if (!rest.starts_with('.')) return wrong;
  rest.remove_prefix(1);
  if (!read_part(rest, '\0', 16, name.number) || seen_source(port, name.key, name.number) != source) return wrong;
  return name;
}

}  // namespace enclave::pipeline
