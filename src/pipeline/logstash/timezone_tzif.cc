#include <algorithm>

#include "pipeline/logstash/timezone.h"

/// Compiled zones, as /usr/share/zoneinfo holds them (RFC 9636).
namespace enclave::pipeline::logstash {
namespace {

constexpr std::size_t kHeaderBytes = 44;
constexpr std::int32_t kOffsetMax = 26 * 3600;
/// Times further away would overflow somewhere; no log is that old.
constexpr std::int64_t kSecondsMax = std::int64_t{1} << 42;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = bytes.size() == 4 && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

struct Header {
  char version = 0;
  std::size_t isut = 0, isstd = 0, leaps = 0, times = 0, types = 0, characters = 0;
  std::size_t body_bytes(std::size_t time_bytes) const {
    return times * (time_bytes + 1) + types * 6 + characters + leaps * (time_bytes + 4) + isstd + isut;
  }
};

Result<Header> read_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif"))
    return Error{Fault::corrupt, "not a compiled time zone"};
  Header header;
  header.version = bytes[4];
  const auto count = [bytes](std::size_t at) {
    return static_cast<std::size_t>(big_endian(bytes.substr(at, 4)) & 0xffffffff);
  };
  header.isut = count(20);
  header.isstd = count(24);
  header.leaps = count(28);
  header.times = count(32);
  header.types = count(36);
  header.characters = count(40);
  for (const std::size_t one : {header.isut, header.isstd, header.leaps, header.times, header.types, header.characters})
    if (one > kTransitionsMax)
      return Error{Fault::limit, "a time zone of {} entries, at most {}", one, kTransitionsMax};
  if (header.types == 0 || header.types > 256 || header.characters == 0)
    return Error{Fault::corrupt, "a time zone without kinds of time"};
  return header;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The parts of "CET-1CEST,M3.5.0,M10.5.0/3"; each takes what it reads from the front.
struct RuleText {
  std::string_view rest;
  bool good = true;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::string name() {
    std::size_t length = 0;
    if (take('<')) {
      length = rest.find('>');
      if (length == std::string_view::npos) length = 0;
      good = good && length > 0 && length < 32;
    } else {
      while (length < rest.size() && is_letter(rest[length])) ++length;
      good = good && length >= 3 && length < 32;
    }
    std::string out(rest.substr(0, length));
    rest.remove_prefix(length);
    take('>');
    return out;
  }
  int number(int least, int most) {
    int value = 0;
    std::size_t digits = 0;
    for (; digits < 4 && !rest.empty() && is_digit(rest[0]); ++digits) {
      value = value * 10 + (rest[0] - '0');
      rest.remove_prefix(1);
    }
    good = good && digits > 0 && value >= least && value <= most;
    return good ? value : least;
  }
  std::int32_t time() {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int32_t seconds = number(0, 167) * 3600;
    if (take(':')) seconds += number(0, 59) * 60;
    if (take(':')) seconds += number(0, 59);
    return negative ? -seconds : seconds;
  }
};

}  // namespace

Result<Timezone::Rule> Timezone::parse_rule(std::string_view text) {
  Rule rule;
  if (text.empty()) return rule;
  RuleText in{text};
  rule.set = true;
  rule.standard.abbreviation = in.name();
  rule.standard.offset_seconds = -in.time();
  if (!in.rest.empty()) {
    rule.has_summer = true;
    rule.summer.abbreviation = in.name();
    rule.summer.offset_seconds = rule.standard.offset_seconds + 3600;
    if (!in.rest.empty() && in.rest[0] != ',') rule.summer.offset_seconds = -in.time();
    for (Change* change : {&rule.to_summer, &rule.to_standard}) {
      in.good = in.good && in.take(',');
      if (in.take('M')) {
        change->month = in.number(1, 12);
        in.good = in.good && in.take('.');
        change->week = in.number(1, 5);
        in.good = in.good && in.take('.');
        change->day = in.number(0, 6);
      } else if (in.take('J')) {
        change->form = Change::Form::julian;
        change->day = in.number(1, 365);
      } else {
        change->form = Change::Form::day_of_year;
        change->day = in.number(0, 365);
      }
      if (in.take('/')) change->seconds = in.time();
    }
  }
  if (!in.good || !in.rest.empty() || std::abs(rule.standard.offset_seconds) > kOffsetMax ||
      std::abs(rule.summer.offset_seconds) > kOffsetMax)
    return Error{Fault::corrupt, "a time zone with a rule that cannot be read"};
  return rule;
}

Result<Timezone> Timezone::from_tzif(std::string_view bytes, std::string name) {
  if (bytes.size() > kTzifBytesMax)
    return Error{Fault::limit, "a time zone of {} bytes, at most {}", bytes.size(), kTzifBytesMax};
  Header header = TRY(read_header(bytes));
  std::size_t time_bytes = 4, body = kHeaderBytes;
  if (header.version >= '2') {
    // The first part is for readers that know no 64-bit times.
    const std::size_t second = kHeaderBytes + header.body_bytes(4);
    if (second > bytes.size()) return Error{Fault::corrupt, "a time zone that ends early"};
    header = TRY(read_header(bytes.substr(second)));
    time_bytes = 8;
    body = second + kHeaderBytes;
  }
  if (body + header.body_bytes(time_bytes) > bytes.size()) return Error{Fault::corrupt, "a time zone that ends early"};
  Timezone zone;
  zone.name_ = std::move(name);
  const std::size_t kinds = body + header.times * time_bytes, types = kinds + header.times;
  const std::string_view characters = bytes.substr(types + header.types * 6, header.characters);
  for (std::size_t i = 0; i < header.types; ++i) {
    const std::string_view type = bytes.substr(types + i * 6, 6);
    const std::int64_t offset = big_endian(type.substr(0, 4));
    const auto text = static_cast<unsigned char>(type[5]);
    if (std::abs(offset) > kOffsetMax || text >= characters.size())
      return Error{Fault::corrupt, "a time zone with a kind of time that cannot be"};
    const std::string_view rest = characters.substr(text);
    zone.types_.push_back({static_cast<std::int32_t>(offset), std::string(rest.substr(0, rest.find('\0')))});
  }
  for (std::size_t i = 0; i < header.times; ++i) {
    const std::int64_t at =
        std::clamp(big_endian(bytes.substr(body + i * time_bytes, time_bytes)), -kSecondsMax, kSecondsMax);
    const auto kind = static_cast<unsigned char>(bytes[kinds + i]);
    if (kind >= zone.types_.size() || (i > 0 && at < zone.transitions_.back()))
      return Error{Fault::corrupt, "a time zone with transitions out of order"};
    zone.transitions_.push_back(at);
    zone.kinds_.push_back(kind);
  }
  if (time_bytes == 8) {
    std::string_view footer = bytes.substr(body + header.body_bytes(time_bytes));
    if (footer.starts_with('\n')) footer.remove_prefix(1);
    zone.rule_ = TRY(parse_rule(footer.substr(0, footer.find('\n'))));
  }
  return zone;
}

}  // namespace enclave::pipeline::logstash
