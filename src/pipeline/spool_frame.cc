#include "pipeline/spool_frame.h"

#include "base/crc.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kMagic = "frm1";

template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 255));
}

template <class Length>
void put_text(std::string& out, std::string_view text) {
  ENSURE(text.size() <= static_cast<std::uint64_t>(static_cast<Length>(-1)));
  put<Length>(out, static_cast<Length>(text.size()));
  out += text;
}

/// Takes numbers and texts from the front; a short rest makes everything after it fail.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : rest_(bytes) {}
  template <class Number>
  Number number() {
    if (rest_.size() < sizeof(Number)) {
      failed_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(sizeof(Number));
    return static_cast<Number>(value);
  }
  template <class Length>
  std::string_view text() {
    const std::size_t size = number<Length>();
    if (failed_ || rest_.size() < size) {
      failed_ = true;
      return {};
    }
    const auto found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
  }
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

void encode_frame(const Frame& frame, std::string& out) {
  std::string meta;
  put(meta, frame.wall_ns);
  put(meta, frame.boot_ns);
  put(meta, frame.plain_bytes);
  put_text<std::uint16_t>(meta, frame.boot_id);
  put(meta, static_cast<std::uint32_t>(frame.sources.size()));
  for (const auto& range : frame.sources) {
    put_text<std::uint16_t>(meta, range.source);
    put_text<std::uint16_t>(meta, range.from);
    put_text<std::uint16_t>(meta, range.to);
    put(meta, range.count);
    put(meta, range.lost);
    put_text<std::uint32_t>(meta, range.state);
  }
  put_text<std::uint32_t>(out, meta);
  out += frame.records;
}

Result<Frame> decode_frame(std::string_view plain) {
  Taker outer(plain);
  Taker taker(outer.text<std::uint32_t>());
  Frame frame;
  frame.wall_ns = taker.number<std::int64_t>();
  frame.boot_ns = taker.number<std::int64_t>();
  frame.plain_bytes = taker.number<std::uint64_t>();
  frame.boot_id = taker.text<std::uint16_t>();
  const auto sources = taker.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < sources && !taker.failed(); ++i) {
    event::SourceRange range;
    range.source = taker.text<std::uint16_t>();
    range.from = taker.text<std::uint16_t>();
    range.to = taker.text<std::uint16_t>();
    range.count = taker.number<std::uint64_t>();
    range.lost = taker.number<std::uint64_t>();
    range.state = taker.text<std::uint32_t>();
    frame.sources.push_back(std::move(range));
  }
  if (outer.failed() || taker.failed() || !taker.rest().empty())
    return Error{Fault::corrupt, "spool frame: its meta part is damaged"};
  frame.records = outer.rest();
  return frame;
}

std::string FrameHeader::encode() const {
  std::string out(kMagic);
  put(out, cipher_bytes);
  put(out, first_seq);
  put(out, count);
  put(out, behind);
  put(out, crc32c(out));
  return out;
}

Result<FrameHeader> FrameHeader::decode(std::string_view bytes) {
  if (bytes.size() < kBytes) return Error{Fault::limit, "spool frame: cut short"};
  bytes = bytes.substr(0, kBytes);
  if (bytes.substr(0, 4) != kMagic) return Error{Fault::corrupt, "spool frame: not a frame"};
  Taker taker(bytes.substr(4));
  FrameHeader header;
  header.cipher_bytes = taker.number<std::uint32_t>();
  header.first_seq = taker.number<std::uint64_t>();
  header.count = taker.number<std::uint32_t>();
  header.behind = taker.number<std::uint32_t>();
  if (taker.number<std::uint32_t>() != crc32c(bytes.substr(0, kBytes - 4)))
    return Error{Fault::corrupt, "spool frame: damaged header"};
  if (header.cipher_bytes > kCipherBytesMax || header.cipher_bytes < 16)
    return Error{Fault::corrupt, "spool frame: impossible length {}", header.cipher_bytes};
  return header;
}

}  // namespace enclave::pipeline
