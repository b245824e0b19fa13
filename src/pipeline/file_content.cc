#include "pipeline/file_content.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/crc.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::uint64_t kSampleEvery = 4096;
constexpr std::uint64_t kSample = 64;
constexpr std::uint64_t kCheckBytesMax = 64ULL << 20;

// With the window bits of zlib's largest window, 16 asks for the gzip format.
constexpr int kGzipWindow = MAX_WBITS + 16;

}  // namespace

Result<std::size_t> PlainContent::read_at(std::uint64_t offset, std::span<char> into) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::size_t got = TRY(file_.read_at(offset + filled, into.subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

struct GzipContent::State {
  State(File& packed, std::size_t keep) : file(packed), keep_bytes(keep), in(kBlock), out(kBlock) {
    ENSURE(inflateInit2(&stream, kGzipWindow) == Z_OK);
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  File& file;
  const std::size_t keep_bytes;
  z_stream stream{};
  std::vector<char> in;
  std::vector<char> out;
  std::uint64_t in_offset = 0;   // of the next bytes to fetch from the file
  std::uint64_t out_offset = 0;  // of the content's byte out[0]
  std::size_t out_bytes = 0;
  std::string head;  // content from head_offset on, kept because it may be asked for again
  std::uint64_t head_offset = 0;
  bool between_members = true;
  bool first_member = true;
};

GzipContent::GzipContent(File& file, std::size_t keep_bytes) : state_(std::make_unique<State>(file, keep_bytes)) {}
GzipContent::~GzipContent() = default;

std::uint64_t GzipContent::position() const { return state_->out_offset + state_->out_bytes; }
std::uint64_t GzipContent::packed_position() const { return state_->in_offset - state_->stream.avail_in; }
bool GzipContent::whole() const { return state_->between_members && !state_->first_member; }

void GzipContent::restart() {
  State& s = *state_;
  ENSURE(inflateReset2(&s.stream, kGzipWindow) == Z_OK);
  s.stream.avail_in = 0;
  s.in_offset = s.out_offset = s.head_offset = 0;
  s.out_bytes = 0;
  s.head.clear();
  s.between_members = s.first_member = true;
}

Result<void> GzipContent::refill() {
  State& s = *state_;
  if (s.stream.avail_in > 0) return {};
  const std::size_t got = TRY(s.file.read_at(s.in_offset, s.in));
  s.in_offset += got;
  s.stream.next_in = reinterpret_cast<Bytef*>(s.in.data());
  s.stream.avail_in = static_cast<uInt>(got);
  return {};
}

// False at the end of what is there.
Result<bool> GzipContent::unpack_block() {
  State& s = *state_;
  // What nobody released yet is kept, so that the front of a long line can be had once its end is known.
  const std::uint64_t head_end = s.head_offset + s.head.size();
  if (s.out_bytes > 0 && head_end >= s.out_offset && head_end < s.out_offset + s.out_bytes &&
      s.head.size() < s.keep_bytes) {
    const std::size_t from = head_end - s.out_offset;
    s.head.append(s.out.data() + from, std::min(s.out_bytes - from, s.keep_bytes - s.head.size()));
  }
  s.out_offset += s.out_bytes;
  s.out_bytes = 0;
  while (s.out_bytes < kBlock) {
    TRY(refill());
    if (s.stream.avail_in == 0) break;
    if (s.between_members && !s.first_member) {
      // Tapes and block devices pad with zeros.
      while (s.stream.avail_in > 0 && *s.stream.next_in == 0) ++s.stream.next_in, --s.stream.avail_in;
      if (s.stream.avail_in == 0) continue;
      ENSURE(inflateReset2(&s.stream, kGzipWindow) == Z_OK);
    }
    s.between_members = s.first_member = false;
    s.stream.next_out = reinterpret_cast<Bytef*>(s.out.data() + s.out_bytes);
    s.stream.avail_out = static_cast<uInt>(kBlock - s.out_bytes);
    const int code = inflate(&s.stream, Z_NO_FLUSH);
    s.out_bytes = kBlock - s.stream.avail_out;
    if (code == Z_STREAM_END) {
      s.between_members = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      if (s.out_bytes > 0) return true;  // said again at the next call
      return Error{Fault::corrupt, "the gzip data is damaged near byte {}", packed_position()};
    }
  }
  return s.out_bytes > 0;
}

Result<bool> GzipContent::advance(std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t until = position() + std::min(bytes, ~std::uint64_t{0} - position());
  while (position() < offset) {
    if (position() >= until) return false;
    if (!TRY(unpack_block())) return true;
  }
  return true;
}

Result<std::size_t> GzipContent::read_at(std::uint64_t offset, std::span<char> into) {
  State& s = *state_;
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::uint64_t at = offset + filled;
    const auto take = [&](const char* from, std::size_t there) {
      const std::size_t bytes = std::min(there, into.size() - filled);
      std::memcpy(into.data() + filled, from, bytes);
      filled += bytes;
    };
    if (at >= s.out_offset && at < s.out_offset + s.out_bytes) {
      take(s.out.data() + (at - s.out_offset), s.out_bytes - (at - s.out_offset));
    } else if (at >= s.head_offset && at < s.head_offset + s.head.size()) {
      take(s.head.data() + (at - s.head_offset), s.head.size() - (at - s.head_offset));
    } else if (at < position()) {
      restart();
    } else {
      auto more = unpack_block();
      if (!more && filled > 0) return filled;
      if (!TRY(std::move(more))) break;
    }
  }
  return filled;
}

void GzipContent::release(std::uint64_t offset) {
  State& s = *state_;
  if (offset < s.head_offset) return;
  if (offset - s.head_offset < s.head.size()) {
    s.head.erase(0, offset - s.head_offset);
  } else {
    s.head.clear();
    if (s.head.capacity() > 4 * kBlock) s.head.shrink_to_fit();
  }
  s.head_offset = offset;
}

std::uint32_t sampled_sum(std::string_view bytes, std::uint64_t offset, std::uint32_t seed) {
  const std::uint64_t end = offset + bytes.size();
  for (std::uint64_t sample = offset / kSampleEvery * kSampleEvery; sample < end; sample += kSampleEvery) {
    const std::uint64_t from = std::max(sample, offset);
    const std::uint64_t to = std::min(sample + kSample, end);
    if (from < to) seed = crc32c(bytes.substr(from - offset, to - from), seed);
  }
  return seed;
}

namespace {

Result<std::unique_ptr<Content>> content_of(File& file, bool packed) {
  if (packed) return std::unique_ptr<Content>(std::make_unique<GzipContent>(file, kBlock));
  return std::unique_ptr<Content>(std::make_unique<PlainContent>(file));
}

Result<std::string> front_of(Content& content, std::size_t bytes) {
  std::string front(bytes, '\0');
  front.resize(TRY(content.read_at(0, front)));
  return front;
}

Result<bool> check(const FileState& state, Content& content) {
  if (!fits(state.print, TRY(front_of(content, state.print.bytes)))) return false;
  const std::uint64_t until = std::min(state.offset, kCheckBytesMax);
  std::string piece(kBlock, '\0');
  std::uint32_t sum = 0;
  for (std::uint64_t at = 0; at < until;) {
    const std::size_t want = std::min<std::uint64_t>(kBlock, until - at);
    const std::size_t got = TRY(content.read_at(at, std::span(piece).first(want)));
    if (got < want) return false;
    sum = sampled_sum(std::string_view(piece).substr(0, got), at, sum);
    at += got;
    content.release(at);
  }
  return !state.summed || until < state.offset || sum == state.crc;
}

}  // namespace

Result<bool> continues(const FileState& state, File& file, bool packed) {
  // Nothing was seen of it: anything would fit.
  if (state.print.bytes == 0) return false;
  if (!packed && TRY(file.info()).bytes < state.offset) return false;
  auto content = TRY(content_of(file, packed));
  auto same = check(state, *content);
  // Damaged before the place where reading stopped: it cannot be read on from there.
  if (!same && same.error().fault() == Fault::corrupt) return false;
  return same;
}

Result<bool> is_copy(File& file, bool packed, Content& original) {
  auto content = TRY(content_of(file, packed));
  auto front = front_of(*content, kBlock);
  if (!front && front.error().fault() == Fault::corrupt) return false;
  const std::string copied = TRY(std::move(front));
  return copied == TRY(front_of(original, copied.size()));
}

Result<bool> is_packed(File& file) {
  char magic[2] = {};
  return TRY(file.read_at(0, magic)) == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
}

}  // namespace enclave::pipeline
