#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "event/copy_plain.h"
#include "event/document.h"
#include "event/record.h"
#include "event/value.h"

namespace enclave::event {
namespace {

constexpr std::size_t kTimeBytes = 24;

void write_digits(char* to, unsigned number, int digits) {
  for (int i = digits; i-- > 0; number /= 10) to[i] = static_cast<char>('0' + number % 10);
}

/// "2026-11-23T09:26:33.123Z", as Logstash writes times.
void write_time_ms(std::int64_t wall_ns, char* to) {
  using namespace std::chrono;
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t ms = floor<milliseconds>(nanoseconds(wall_ns)).count();
  const std::int64_t day = ms >= 0 ? ms / kDay : (ms - kDay + 1) / kDay;
  const year_month_day date{sys_days{days{day}}};
  const auto rest = static_cast<unsigned>(ms - day * kDay);
  std::memcpy(to, "0000-00-00T00:00:00.000Z", kTimeBytes);
  write_digits(to, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  write_digits(to + 5, static_cast<unsigned>(date.month()), 2);
  write_digits(to + 8, static_cast<unsigned>(date.day()), 2);
  write_digits(to + 11, rest / 3'600'000, 2);
  write_digits(to + 14, rest / 60'000 % 60, 2);
  write_digits(to + 17, rest / 1000 % 60, 2);
  write_digits(to + 20, rest % 1000, 3);
}

/// Appends JSON to a string that is made larger by leaps and cut at the end: most of what is written is a few bytes.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out), used_(out.size()) {}
  ~Writer() { out_.resize(used_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void add(char c) {
    *room(1) = c;
    ++used_;
  }
  void add(std::string_view plain) {
    std::memcpy(room(plain.size()), plain.data(), plain.size());
    used_ += plain.size();
  }

  void quoted(std::string_view text) {
    // Longer ones go piece by piece: room for the worst is seldom used.
    constexpr std::size_t kLong = 16 << 10;
    if (text.size() > kLong) return escaped(text);
    char* const to = room(text.size() * 2 + kCopyOverrun + 2);
    *to = '"';
    char* const end = copy_escaping_quotes(text, to + 1);
    if (end == nullptr) return escaped(text);
    *end = '"';
    used_ += static_cast<std::size_t>(end + 1 - to);
  }

  void value(const Value& value) {
    switch (value.kind()) {
      case Kind::null:
        return add("null");
      case Kind::boolean:
        return add(value.boolean() ? std::string_view("true") : std::string_view("false"));
      case Kind::integer:
        return integer(value.integer());
      case Kind::real:
        return real(value.real());
      case Kind::text:
        return quoted(value.text());
      case Kind::time:
        add('"');
        write_time_ms(value.wall_ns(), room(kTimeBytes));
        used_ += kTimeBytes;
        return add('"');
      case Kind::list:
        add('[');
        for (bool first = true; const Value& item : value.items()) {
          if (!std::exchange(first, false)) add(',');
          this->value(item);
        }
        return add(']');
      case Kind::map:
        return members(value.members(), {});
    }
  }

  /// All but the one of the name `without`.
  void members(std::span<const Member> all, std::string_view without) {
    add('{');
    for (bool first = true; const Member& member : all) {
      if (!without.empty() && member.name == without) continue;
      if (!std::exchange(first, false)) add(',');
      quoted(member.name);
      add(':');
      value(member.value);
    }
    add('}');
  }

 private:
  char* room(std::size_t bytes) {
    constexpr std::size_t kLeap = 512;
    if (out_.size() - used_ < bytes) out_.resize(used_ + bytes + kLeap);
    return out_.data() + used_;
  }

  void escaped(std::string_view text) {
    out_.resize(used_);
    out_ += '"';
    if (try_append_json_escaped(out_, text)) {
      out_ += '"';
    } else {
      out_.resize(used_);
      out_ += json_text(text);
    }
    used_ = out_.size();
  }

  void integer(std::int64_t number) {
    constexpr std::size_t kDigits = 24;
    char* const to = room(kDigits);
    used_ += static_cast<std::size_t>(std::to_chars(to, to + kDigits, number).ptr - to);
  }

  void real(double number) {
    if (!std::isfinite(number)) return add("null");
    out_.resize(used_);
    append_real(number, out_);
    used_ = out_.size();
  }

  std::string& out_;
  std::size_t used_;
};

}  // namespace

void append_time_ms(std::int64_t wall_ns, std::string& out) {
  char text[kTimeBytes];
  write_time_ms(wall_ns, text);
  out.append(text, sizeof text);
}

void append_json(const Value& value, std::string& out) { Writer(out).value(value); }

void append_json(const Document& document, std::string& out) {
  Writer(out).members(document.root().members(), kMetadataField);
}

void append_real(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char digits[32];
  const double size = std::fabs(value);
  if (size == 0 || (size >= 1e-3 && size < 1e7)) {
    const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    if (text.find('.') == std::string_view::npos) out += ".0";
    return;
  }
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  const auto e = text.find('e');
  const std::string_view mantissa = text.substr(0, e);
  out += mantissa;
  if (mantissa.find('.') == std::string_view::npos) out += ".0";
  int exponent = 0;
  const char* from = text.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, end, exponent);
  out += 'E';
  out += std::to_string(exponent);
}

void append_text(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::text:
      out += value.text();
      break;
    case Kind::real:
      append_real(value.real(), out);
      break;
    case Kind::time:
      append_time_ms(value.wall_ns(), out);
      break;
    case Kind::list: {
      bool first = true;
      for (const Value& item : value.items()) {
        if (!std::exchange(first, false)) out += ',';
        append_text(item, out);
      }
      break;
    }
    case Kind::null:
      break;
    default:
      append_json(value, out);
  }
}

}  // namespace enclave::event
