#include "event/lumberjack.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/encoding.h"
#include "event/record.h"

namespace enclave::event {
namespace {

constexpr std::size_t kInflatePiece = 64 * 1024;
constexpr std::size_t kBytesKept = 4 * 1024;
constexpr std::size_t kHeader = 2;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i]));
  };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

void append_number(std::string& out, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(number >> shift & 0xff);
}

/// Bytes that came and were not read yet.
class Buffer {
 public:
  std::span<char> room(std::size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void took(std::size_t bytes) { end_ += bytes; }
  void skip(std::size_t bytes) { begin_ += bytes; }
  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t capacity() const { return capacity_; }
  void clear() { begin_ = end_ = 0; }
  /// A frame must not hold its memory for as long as the connection lives.
  void trim() {
    if (begin_ == end_ && capacity_ > kBytesKept) *this = {};
  }

 private:
  void make_room(std::size_t bytes) {
    const std::size_t waiting = end_ - begin_;
    if (waiting + bytes > capacity_) {
      const std::size_t capacity = std::max(waiting + bytes, capacity_ * 2);
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      if (waiting > 0) std::memcpy(larger.get(), bytes_.get() + begin_, waiting);
      bytes_ = std::move(larger);
      capacity_ = capacity;
    } else {
      std::memmove(bytes_.get(), bytes_.get() + begin_, waiting);
    }
    begin_ = 0;
    end_ = waiting;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

class Inflater {
 public:
  Inflater() { ENSURE(::inflateInit(&stream_) == Z_OK); }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void restart() { ENSURE(::inflateReset(&stream_) == Z_OK); }
  struct Step {
    std::size_t used = 0;
    std::size_t made = 0;
    bool ended = false;
  };
  Result<Step> step(std::string_view packed, std::span<char> into) {
    stream_.next_in = reinterpret_cast<const Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    const Step step{packed.size() - stream_.avail_in, into.size() - stream_.avail_out, code == Z_STREAM_END};
    // What stands before the damage is given first; the next call says it again.
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR && step.made == 0)
      return Error{Fault::corrupt, "a compressed frame is damaged ({})",
                   stream_.msg != nullptr ? stream_.msg : "zlib says no more"};
    return step;
  }

 private:
  z_stream stream_{};
};

/// Length of the well-formed UTF-8 sequence (RFC 3629) at the front; 0: there is none.
std::size_t sequence_bytes(std::string_view bytes) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, bytes.size()); ++length)
    if (is_utf8(bytes.substr(0, length))) return length;
  return 0;
}

void append_text(std::string& out, std::string_view bytes) {
  out += '"';
  if (is_utf8(bytes)) {
    append_json_escaped(out, bytes);
  } else {
    std::string good;
    while (!bytes.empty()) {
      const std::size_t length = sequence_bytes(bytes);
      good += length == 0 ? std::string_view("\xef\xbf\xbd") : bytes.substr(0, length);
      bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    append_json_escaped(out, good);
  }
  out += '"';
}

}  // namespace

struct LumberjackDecoder::State {
  enum class Taken : std::uint8_t { nothing, frame, item };

  Result<Taken> take(Buffer& from);
  Result<Taken> take_window(Buffer& from);
  Result<Taken> take_json(Buffer& from);
  Result<Taken> take_pairs(Buffer& from);
  Result<Taken> take_compressed(Buffer& from);
  Result<bool> inflate();
  Result<void> end_compressed();
  Result<Taken> give_event(std::uint32_t sequence, std::string_view json);
  void end_window();
  // Thousands of idle connections must not hold a buffer and a window of zlib each.
  void rest() {
    wire.trim();
    if (left == 0 && wire.view().empty()) inflater.reset();
  }

  LumberjackLimits limits;
  Buffer wire, plain;
  std::unique_ptr<Inflater> inflater;
  std::size_t packed_left = 0;  ///< of the compressed frame that is being read
  std::size_t inflated = 0, inflated_max = 0;
  bool compressed = false;
  bool unpacked = false;  ///< the stream has ended; what is left is in `plain`
  bool failed = false;

  std::uint8_t version = '2';
  std::uint32_t window = 0;  ///< as announced last
  std::uint32_t left = 0;    ///< events that are still to come
  std::uint32_t highest = 0;
  std::uint64_t frames = 0, windows = 0;
  std::string pairs;
  LumberjackItem item;
};

void LumberjackDecoder::State::end_window() {
  item.ends_window = true;
  item.version = version;
  item.ack = std::exchange(highest, 0);
  left = 0;
}

auto LumberjackDecoder::State::take_window(Buffer& from) -> Result<Taken> {
  const std::string_view bytes = from.view();
  if (bytes.size() < kHeader + 4) return Taken::nothing;
  const std::uint32_t announced = number_at(bytes, kHeader);
  if (announced > limits.window_events)
    return Error{Fault::limit, "a window of {} events, at most {}", announced, limits.window_events};
  item = {};
  // A sender that gives up the rest of a window begins the next one.
  const bool cut_short = left > 0 && left < window;
  if (cut_short) end_window();
  version = static_cast<std::uint8_t>(bytes[0]);
  window = left = announced;
  ++windows;
  highest = 0;
  from.skip(kHeader + 4);
  if (cut_short) return Taken::item;
  if (announced > 0) return Taken::frame;
  end_window();
  return Taken::item;
}

auto LumberjackDecoder::State::give_event(std::uint32_t sequence, std::string_view json) -> Result<Taken> {
  if (window == 0) return Error{Fault::corrupt, "an event before any window"};
  // Old senders announce a window once and mean every one.
  if (left == 0) {
    left = window;
    ++windows;
  }
  item = {};
  item.is_event = true;
  item.json = json;
  item.version = version;
  highest = std::max(highest, sequence);
  if (--left == 0) end_window();
  return Taken::item;
}

auto LumberjackDecoder::State::take_json(Buffer& from) -> Result<Taken> {
  const std::string_view bytes = from.view();
  if (bytes.size() < kHeader + 8) return Taken::nothing;
  const std::size_t length = number_at(bytes, kHeader + 4);
  if (length > limits.frame_bytes)
    return Error{Fault::limit, "a frame of {} bytes, at most {}", length, limits.frame_bytes};
  if (bytes.size() < kHeader + 8 + length) return Taken::nothing;
  from.skip(kHeader + 8 + length);
  return give_event(number_at(bytes, kHeader), bytes.substr(kHeader + 8, length));
}

auto LumberjackDecoder::State::take_pairs(Buffer& from) -> Result<Taken> {
  const std::string_view bytes = from.view();
  if (bytes.size() < kHeader + 8) return Taken::nothing;
  const std::uint32_t count = number_at(bytes, kHeader + 4);
  if (count > limits.pairs) return Error{Fault::limit, "an event of {} pairs, at most {}", count, limits.pairs};
  std::size_t at = kHeader + 8;
  for (std::uint64_t i = 0; i < 2ULL * count; ++i) {
    if (bytes.size() < at + 4) return Taken::nothing;
    at += 4 + std::size_t{number_at(bytes, at)};
    if (at > limits.frame_bytes) return Error{Fault::limit, "a frame of {} bytes, at most {}", at, limits.frame_bytes};
    if (bytes.size() < at) return Taken::nothing;
  }
  pairs = "{";
  at = kHeader + 8;
  for (std::uint64_t i = 0; i < 2ULL * count; ++i) {
    const std::size_t length = number_at(bytes, at);
    if (i > 0) pairs += i % 2 == 0 ? ',' : ':';
    append_text(pairs, bytes.substr(at + 4, length));
    at += 4 + length;
  }
  pairs += '}';
  from.skip(at);
  return give_event(number_at(bytes, kHeader), pairs);
}

auto LumberjackDecoder::State::take_compressed(Buffer& from) -> Result<Taken> {
  if (&from == &plain) return Error{Fault::limit, "a compressed frame inside a compressed one"};
  const std::string_view bytes = from.view();
  if (bytes.size() < kHeader + 4) return Taken::nothing;
  const std::size_t length = number_at(bytes, kHeader);
  if (length > limits.frame_bytes)
    return Error{Fault::limit, "a frame of {} bytes, at most {}", length, limits.frame_bytes};
  from.skip(kHeader + 4);
  if (inflater == nullptr) {
    inflater = std::make_unique<Inflater>();
  } else {
    inflater->restart();
  }
  compressed = true;
  unpacked = false;
  packed_left = length;
  inflated = 0;
  inflated_max = std::min(limits.inflated_bytes, std::max(limits.inflated_bytes_free, limits.inflated_times * length));
  return Taken::frame;
}

auto LumberjackDecoder::State::take(Buffer& from) -> Result<Taken> {
  const std::string_view bytes = from.view();
  if (!bytes.empty() && bytes[0] != '1' && bytes[0] != '2')
    return Error{Fault::corrupt, "not the Lumberjack protocol: a frame begins with byte 0x{:02x}",
                 static_cast<unsigned char>(bytes[0])};
  if (bytes.size() < kHeader) return Taken::nothing;
  switch (bytes[1]) {
    case 'W':
      return take_window(from);
    case 'J':
      return take_json(from);
    case 'D':
      return take_pairs(from);
    case 'C':
      return take_compressed(from);
    default:
      return Error{Fault::corrupt, "not the Lumberjack protocol: a frame of type 0x{:02x}",
                   static_cast<unsigned char>(bytes[1])};
  }
}

/// True when there is more in `plain`, or no more to come. Errors wait until all before them was read, so that what is
/// given out does not depend on how the bytes came.
Result<bool> LumberjackDecoder::State::inflate() {
  if (inflated > inflated_max)
    return Error{Fault::limit, "a compressed frame holds more than {} bytes, or more than {} times its own",
                 inflated_max, limits.inflated_times};
  const std::string_view packed = wire.view().substr(0, packed_left);
  const auto into = plain.room(kInflatePiece).first(std::min(kInflatePiece, inflated_max + 1 - inflated));
  const auto step = TRY(inflater->step(packed, into));
  wire.skip(step.used);
  plain.took(step.made);
  packed_left -= step.used;
  inflated += step.made;
  unpacked = step.ended;
  if (!unpacked && packed_left == 0 && step.made == 0)
    return Error{Fault::corrupt, "a compressed frame ends before its stream"};
  return unpacked || step.made > 0;
}

Result<void> LumberjackDecoder::State::end_compressed() {
  if (!plain.view().empty())
    return Error{Fault::corrupt, "a frame reaches beyond the end of the compressed one that holds it"};
  if (packed_left > 0)
    return Error{Fault::corrupt, "a compressed frame has {} bytes behind the end of its stream", packed_left};
  compressed = false;
  ++frames;
  plain.clear();
  plain.trim();
  return {};
}

LumberjackDecoder::LumberjackDecoder(LumberjackLimits limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
}
LumberjackDecoder::~LumberjackDecoder() = default;
LumberjackDecoder::LumberjackDecoder(LumberjackDecoder&&) noexcept = default;
LumberjackDecoder& LumberjackDecoder::operator=(LumberjackDecoder&&) noexcept = default;

std::span<char> LumberjackDecoder::room(std::size_t bytes) { return state_->wire.room(bytes); }
void LumberjackDecoder::took(std::size_t bytes) { state_->wire.took(bytes); }
void LumberjackDecoder::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
  took(bytes.size());
}

Result<std::optional<LumberjackItem>> LumberjackDecoder::next() {
  State& state = *state_;
  if (state.failed) return Error{Fault::corrupt, "nothing can be read after an error"};
  state.failed = true;  // until it went well
  for (;;) {
    const auto taken = TRY(state.take(state.compressed ? state.plain : state.wire));
    if (taken != State::Taken::nothing && !state.compressed) ++state.frames;
    if (taken == State::Taken::frame) continue;
    if (taken == State::Taken::item) {
      state.failed = false;
      return std::optional(state.item);
    }
    if (state.compressed && state.unpacked) {
      TRY(state.end_compressed());
      continue;
    }
    if (state.compressed && TRY(state.inflate())) continue;
    if (!state.compressed) state.rest();
    state.failed = false;
    return std::optional<LumberjackItem>();
  }
}

bool LumberjackDecoder::mid_frame() const { return state_->compressed || !state_->wire.view().empty(); }
std::uint64_t LumberjackDecoder::frames() const { return state_->frames; }
std::uint64_t LumberjackDecoder::windows() const { return state_->windows; }
bool LumberjackDecoder::mid_window() const { return state_->left > 0; }
std::size_t LumberjackDecoder::buffered() const { return state_->wire.capacity() + state_->plain.capacity(); }

void append_lumberjack_window(std::string& out, std::uint32_t events) {
  out += "2W";
  append_number(out, events);
}

void append_lumberjack_json(std::string& out, std::uint32_t sequence, std::string_view json) {
  out += "2J";
  append_number(out, sequence);
  append_number(out, static_cast<std::uint32_t>(json.size()));
  out += json;
}

void append_lumberjack_compressed(std::string& out, std::string_view frames, int level) {
  out += "2C";
  const std::size_t length_at = out.size(), packed_at = length_at + 4;
  uLongf packed = ::compressBound(frames.size());
  out.resize(packed_at + packed);
  // Into compressBound bytes it can fail only for want of memory.
  ENSURE(::compress2(reinterpret_cast<Bytef*>(out.data() + packed_at), &packed,
                     reinterpret_cast<const Bytef*>(frames.data()), frames.size(), level) == Z_OK);
  out.resize(packed_at + packed);
  std::string length;
  append_number(length, static_cast<std::uint32_t>(packed));
  out.replace(length_at, 4, length);
}

void append_lumberjack_ack(std::string& out, std::uint8_t version, std::uint32_t sequence) {
  out += static_cast<char>(version);
  out += 'A';
  append_number(out, sequence);
}

Result<std::optional<std::uint32_t>> take_lumberjack_ack(std::string_view& bytes) {
  if (!bytes.empty() && bytes[0] != '1' && bytes[0] != '2')
    return Error{Fault::corrupt, "not an acknowledgement: it begins with byte 0x{:02x}",
                 static_cast<unsigned char>(bytes[0])};
  if (bytes.size() >= kHeader && bytes[1] != 'A')
    return Error{Fault::corrupt, "a frame of type 0x{:02x} where an acknowledgement is due",
                 static_cast<unsigned char>(bytes[1])};
  if (bytes.size() < kHeader + 4) return std::optional<std::uint32_t>();
  const std::uint32_t sequence = number_at(bytes, kHeader);
  bytes.remove_prefix(kHeader + 4);
  return std::optional(sequence);
}

}  // namespace enclave::event
