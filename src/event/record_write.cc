#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "base/time.h"
#include "event/copy_plain.h"
#include "event/record.h"

namespace enclave::event {

/// A growing run of bytes that is not cleared when it grows or is used again.
class RecordWriter::Buffer {
 public:
  void reset() { size_ = 0; }
  std::size_t size() const { return size_; }
  void cut(std::size_t size) { size_ = size; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  char* room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) grow(bytes);
    return bytes_.get() + size_;
  }
  void advance(std::size_t bytes) { size_ += bytes; }
  void add(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  void add(std::uint64_t number) {
    char* at = room(20);
    size_ += static_cast<std::size_t>(std::to_chars(at, at + 20, number).ptr - at);
  }

 private:
  void grow(std::size_t bytes) {
    const std::size_t capacity = std::max(size_ + bytes, capacity_ * 2);
    std::unique_ptr<char[]> next(new char[capacity]);
    std::memcpy(next.get(), bytes_.get(), size_);
    bytes_ = std::move(next);
    capacity_ = capacity;
  }
  std::unique_ptr<char[]> bytes_{new char[1]};
  std::size_t size_ = 0, capacity_ = 1;
};

namespace {

std::size_t write_escape(unsigned char c, char* to) {
  constexpr char kHex[] = "0123456789abcdef";
  to[0] = '\\';
  switch (c) {
    case '"':
    case '\\':
      to[1] = static_cast<char>(c);
      return 2;
    case '\n':
      to[1] = 'n';
      return 2;
    case '\r':
      to[1] = 'r';
      return 2;
    case '\t':
      to[1] = 't';
      return 2;
    default:
      std::memcpy(to + 1, "u00", 3);
      to[4] = kHex[c >> 4];
      to[5] = kHex[c & 15];
      return 6;
  }
}

/// Appends the inside of a JSON string; false, with an unfinished end, when the bytes are not UTF-8.
template <class Buffer>
bool escape(std::string_view bytes, Buffer& out) {
  bool high_is_fine = false;
  for (;;) {
    char* const to = out.room(bytes.size() + kCopyOverrun);
    const std::size_t plain = copy_plain(bytes, to, high_is_fine);
    out.advance(plain);
    if (plain == bytes.size()) return true;
    bytes.remove_prefix(plain);
    const auto c = static_cast<unsigned char>(bytes.front());
    if (c >= 0x80) {
      if (!is_utf8(bytes)) return false;
      high_is_fine = true;
      continue;
    }
    out.advance(write_escape(c, to + plain));
    bytes.remove_prefix(1);
  }
}

class StringBuffer {
 public:
  explicit StringBuffer(std::string& out) : out_(out), size_(out.size()) {}
  ~StringBuffer() { out_.resize(size_); }
  char* room(std::size_t bytes) {
    // Some more than is wanted: what is escaped grows. The string itself sees to growing by leaps.
    if (out_.size() - size_ < bytes) out_.resize(size_ + bytes + bytes / 8 + 64);
    return out_.data() + size_;
  }
  void advance(std::size_t bytes) { size_ += bytes; }

 private:
  std::string& out_;
  std::size_t size_;
};

}  // namespace

bool try_append_json_escaped(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  bool good = false;
  {
    StringBuffer buffer(out);
    good = escape(bytes, buffer);
  }
  if (!good) out.resize(before);
  return good;
}

void append_json_escaped(std::string& out, std::string_view bytes) { ENSURE(try_append_json_escaped(out, bytes)); }

std::string json_text(std::string_view bytes) {
  std::string out = "\"";
  while (!bytes.empty()) {
    std::size_t good = bytes.size();
    // Longest prefix that is UTF-8, byte by byte only when it is needed.
    if (!is_utf8(bytes)) {
      good = 0;
      for (std::size_t step = 1; good < bytes.size(); good += step) {
        for (step = 1; step <= 4; ++step)
          if (is_utf8(bytes.substr(good, step)) && good + step <= bytes.size()) break;
        if (step > 4) break;
      }
    }
    append_json_escaped(out, bytes.substr(0, good));
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    out += "\xef\xbf\xbd";
    bytes.remove_prefix(1);
  }
  return out + "\"";
}

namespace {

/// A number as text that counts up in place: most steps change one digit.
class Counter {
 public:
  explicit Counter(std::uint64_t number)
      : begin_(static_cast<std::size_t>(sizeof digits_ - fmt::format_int(number).size())) {
    const fmt::format_int text(number);
    std::memcpy(digits_ + begin_, text.data(), text.size());
  }
  void next() {
    std::size_t at = sizeof digits_ - 1;
    while (at >= begin_ && digits_[at] == '9') digits_[at--] = '0';
    if (at >= begin_) {
      ++digits_[at];
    } else {
      digits_[--begin_] = '1';
    }
  }
  std::string_view text() const { return {digits_ + begin_, sizeof digits_ - begin_}; }

 private:
  char digits_[24];
  std::size_t begin_;
};

}  // namespace

RecordWriter::RecordWriter() : buffer_(std::make_unique<Buffer>()) {}
RecordWriter::~RecordWriter() = default;

std::string_view RecordWriter::write(const Batch& batch, std::uint64_t first_seq, std::string_view boot_id) {
  buffer_->reset();
  ends_.clear();
  ends_.reserve(batch.events.size());
  Buffer& out = *buffer_;
  const std::string when = fmt::format(R"(,"time":"{}","boot":"{}","boot_ns":{},"src":)", format_time(batch.wall_ns),
                                       boot_id, batch.boot_ns);
  std::string middle;
  std::uint32_t middle_of = ~0U;
  Counter seq(first_seq);
  for (const Event& event : batch.events) {
    out.add(R"({"seq":)");
    out.add(seq.text());
    if (event.source != middle_of) {
      // The first of a run tells what its followers share; they name it.
      out.add(when);
      out.add(json_text(batch.sources[event.source].source));
      out.add(R"(,"pos":)");
      middle = fmt::format(R"(,"as":{},"pos":)", seq.text());
      middle_of = event.source;
    } else {
      out.add(middle);
    }
    seq.next();
    if (event.position.empty()) {
      out.add(event.offset);
    } else {
      out.add(json_text(event.position));
    }
    const std::size_t before = out.size();
    out.add(R"(,"raw":")");
    if (escape(event.raw, out)) {
      out.add("\"");
    } else {
      out.cut(before);
      out.add(R"(,"raw_b64":")");
      out.add(to_base64(event.raw));
      out.add("\"");
    }
    if (event.eol != Eol::lf) out.add(event.eol == Eol::crlf ? R"(,"eol":"\r\n")" : R"(,"eol":"")");
    if (event.cut_bytes != 0) {
      out.add(R"(,"cut":)");
      out.add(event.cut_bytes);
    }
    if (!event.fields.empty()) {
      out.add(",");
      out.add(event.fields);
    }
    out.add("}");
    ends_.push_back(out.size());
    out.add("\n");
  }
  return out.view();
}

void write_records(const Batch& batch, std::uint64_t first_seq, std::string_view boot_id, std::string& out,
                   std::vector<std::size_t>& ends) {
  RecordWriter writer;
  const std::size_t before = out.size();
  out += writer.write(batch, first_seq, boot_id);
  for (const std::size_t end : writer.ends()) ends.push_back(before + end);
}

}  // namespace enclave::event
