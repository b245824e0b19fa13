#include "pipeline/syslog_message.h"

#include <algorithm>
#include <array>

#include "pipeline/logstash/iso8601.h"

namespace enclave::pipeline {
namespace {

constexpr int kPriorityMost = 191;  // local7.debug (RFC 5424 §6.2.1)
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::size_t kShortMonth = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_printable(char c) { return c > ' ' && c <= '~'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Takes a piece of text from its front to its end.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  std::string_view rest() const { return text_; }
  bool skip(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// Up to `digits` digits, at least one; -1 for none.
  int number(std::size_t digits) {
    int value = -1;
    for (std::size_t i = 0; i < digits && !text_.empty() && is_digit(text_.front()); ++i) {
      value = std::max(value, 0) * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    return value;
  }
  /// Up to the next space or the end.
  std::string_view word() {
    const std::string_view found = text_.substr(0, text_.find(' '));
    text_.remove_prefix(found.size());
    return found;
  }
  void take(std::size_t bytes) { text_.remove_prefix(bytes); }

 private:
  std::string_view text_;
};

/// "Oct" or "October", 1 to 12, which it takes; 0 for none.
int read_month(Reader& in) {
  const std::string_view text = in.rest();
  for (int i = 0; i < 12; ++i) {
    const std::string_view name = kMonths[i];
    if (!text.starts_with(name.substr(0, kShortMonth))) continue;
    in.take(text.starts_with(name) ? name.size() : kShortMonth);
    return i + 1;
  }
  return 0;
}

struct ClockTime {
  int year = -1;  ///< -1: none
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t nanoseconds = 0;
};

std::int64_t read_fraction(Reader& in) {
  std::int64_t value = 0;
  int digits = 0;
  while (!in.at_end() && is_digit(in.rest().front())) {
    if (digits < 9) {
      value = value * 10 + (in.rest().front() - '0');
      ++digits;
    }
    in.take(1);
  }
  for (; digits < 9; ++digits) value *= 10;
  return value;
}

/// "Oct 11 22:14:15", "Oct  1 2026 22:14:15.123"; takes what it reads.
bool read_old_time(Reader& in, ClockTime& time) {
  time.month = read_month(in);
  if (time.month == 0 || !in.skip(' ')) return false;
  while (in.skip(' ')) {
  }
  time.day = in.number(2);
  if (time.day < 1 || !in.skip(' ')) return false;
  // Routers put the year here.
  if (in.rest().size() > 4 && is_digit(in.rest()[2]) && in.rest()[4] == ' ') {
    time.year = in.number(4);
    if (!in.skip(' ')) return false;
  }
  time.hour = in.number(2);
  if (time.hour < 0 || !in.skip(':')) return false;
  time.minute = in.number(2);
  if (time.minute < 0 || !in.skip(':')) return false;
  time.second = in.number(2);
  const std::string_view rest = in.rest();
  if (rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && is_digit(rest[1])) {
    in.take(1);
    time.nanoseconds = read_fraction(in);
  }
  return time.second >= 0 && time.hour < 24 && time.minute < 60 && time.second <= 60 && time.day <= 31;
}

constexpr std::size_t kIsoTee = 10;  // where the T of a date of ISO 8601 stands

/// A date of ISO 8601 stands here: 2026-11-23T…
bool begins_iso(std::string_view text, char tee = 'T') {
  return text.size() > kIsoTee && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]) && is_digit(text[3]) &&
         text[4] == '-' && is_digit(text[5]) && text[7] == '-' && text[kIsoTee] == tee;
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 255 || text.ends_with(':')) return false;
  if (!is_alnum(text[0]) && text[0] != ':' && text[0] != '_') return false;
  return std::ranges::all_of(
      text, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '%'; });
}

/// "sshd[812]:" or "su:"; false for anything else, which is a part of the message.
bool read_program(std::string_view word, SyslogMessage& out) {
  if (!word.ends_with(':')) return false;
  word.remove_suffix(1);
  std::string_view pid;
  if (word.ends_with(']')) {
    const std::size_t open = word.rfind('[');
    if (open == std::string_view::npos) return false;
    pid = word.substr(open + 1, word.size() - open - 2);
    if (pid.empty() || pid.size() > 10 || !std::ranges::all_of(pid, is_digit)) return false;
    word = word.substr(0, open);
  }
  const auto fits = [](char c) { return is_printable(c) && c != '[' && c != ']'; };
  if (word.empty() || !std::ranges::all_of(word, fits)) return false;
  out.program = word;
  out.pid = pid;
  return true;
}

std::string_view without_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(std::string_view("\n\r\0", 3));
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// "812: " before the time, or a sign of whether the sender's clock is right.
void read_before_time(Reader& in, SyslogMessage& out) {
  Reader ahead = in;
  while (!ahead.at_end() && is_digit(ahead.rest().front())) ahead.take(1);
  const std::string_view digits = in.rest().substr(0, in.rest().size() - ahead.rest().size());
  if (!digits.empty() && ahead.skip(':') && ahead.skip(' ')) {
    out.sequence = digits;
    in = ahead;
  }
  (void)(in.skip('*') || in.skip('.') || in.skip(' '));
}

bool read_time(Reader& in, bool loosely, SyslogMessage& out) {
  const std::string_view from = in.rest();
  if (begins_iso(from) || (loosely && begins_iso(from, ' '))) {
    in.take(kIsoTee + 1);
    in.word();
    out.timestamp = from.substr(0, from.size() - in.rest().size());
    if (loosely && out.timestamp.ends_with(':')) out.timestamp.remove_suffix(1);
    return true;
  }
  ClockTime time;
  if (!read_old_time(in, time)) return false;
  out.timestamp = from.substr(0, from.size() - in.rest().size());
  // Routers end it with a colon.
  in.skip(':');
  return true;
}

/// The host and the space behind it.
bool read_host(Reader& in, bool loosely, SyslogMessage& out) {
  Reader ahead = in;
  std::string_view word = ahead.word();
  if (loosely && word.ends_with(':')) word.remove_suffix(1);
  if (!is_host(word) || !ahead.skip(' ')) return false;
  out.host = word;
  in = ahead;
  return true;
}

/// TIMESTAMP HOST PROGRAM[PID]: MESSAGE
bool read_rfc3164(Reader in, bool loosely, SyslogMessage& out) {
  if (loosely) read_before_time(in, out);
  if (!read_time(in, loosely, out) || !in.skip(' ')) return false;
  // Some write <facility.severity> before the host.
  if (in.rest().starts_with('<') && !loosely) {
    const std::string_view word = in.word();
    if (!word.ends_with('>') || !in.skip(' ')) return false;
  }
  if (!read_host(in, loosely, out)) {
    if (!loosely || in.at_end()) return false;
    out.message = in.rest();
    out.form = SyslogMessage::Form::rfc3164;
    return true;
  }
  const std::string_view text = in.rest();
  if (!read_program(in.word(), out) || !in.skip(' ')) {
    out.program = out.pid = {};
    in = Reader(text);
  }
  out.message = in.rest();
  out.form = SyslogMessage::Form::rfc3164;
  return true;
}

/// "-" is nothing.
bool read_word(Reader& in, std::size_t bytes_max, std::string_view& into) {
  into = in.word();
  if (into.empty() || into.size() > bytes_max || !std::ranges::all_of(into, is_printable)) return false;
  if (into == "-") into = {};
  return true;
}

/// [id name="value" …]…
bool read_structured_data(Reader& in, std::string_view& into) {
  if (in.skip('-')) return true;
  const std::string_view from = in.rest();
  const auto is_name = [](char c) { return is_printable(c) && c != '=' && c != ']' && c != '"'; };
  const auto skip_name = [&] {
    std::size_t bytes = 0;
    while (!in.at_end() && is_name(in.rest().front())) in.take(1), ++bytes;
    return bytes > 0;
  };
  while (in.skip('[')) {
    if (!skip_name()) return false;
    while (in.skip(' ')) {
      if (!skip_name() || !in.skip('=') || !in.skip('"')) return false;
      while (!in.at_end() && in.rest().front() != '"')
        in.take(in.rest().front() == '\\' && in.rest().size() > 1 ? 2 : 1);
      if (!in.skip('"')) return false;
    }
    if (!in.skip(']')) return false;
  }
  into = from.substr(0, from.size() - in.rest().size());
  return !into.empty();
}

/// VERSION TIMESTAMP HOST APP PROCID MSGID SD [MSG] (RFC 5424 §6)
bool read_rfc5424(Reader in, bool loosely, SyslogMessage& out) {
  constexpr std::size_t kHostMax = 255, kAppMax = 128, kIdMax = 128, kTimeMax = 64;  // longer than the RFC allows
  out.version = in.number(3);
  if (out.version < 1 || !in.skip(' ')) return false;
  if (!in.rest().starts_with('-') && !begins_iso(in.rest())) return false;
  if (!read_word(in, kTimeMax, out.timestamp) || !in.skip(' ')) return false;
  if (!read_word(in, kHostMax, out.host) || !in.skip(' ')) return false;
  if (!read_word(in, kAppMax, out.program) || !in.skip(' ')) return false;
  if (!read_word(in, kIdMax, out.pid) || !in.skip(' ')) return false;
  if (!read_word(in, kIdMax, out.message_id) || !in.skip(' ')) return false;
  const Reader behind_id = in;
  if (!read_structured_data(in, out.structured_data) || (!in.at_end() && !in.skip(' '))) {
    if (!loosely) return false;
    out.structured_data = {};
    in = behind_id;
  }
  out.message = in.rest();
  if (out.message.starts_with(kByteOrderMark)) out.message.remove_prefix(kByteOrderMark.size());
  out.form = SyslogMessage::Form::rfc5424;
  return true;
}

}  // namespace

SyslogMessage parse_syslog(std::string_view message, const SyslogTaking& taking) {
  Reader in(without_end(message));
  SyslogMessage out;
  if (in.skip('<')) {
    out.priority = in.number(3);
    if (out.priority < 0 || out.priority > kPriorityMost || !in.skip('>')) return {};
  } else if (taking.loosely) {
    out.priority = -1;
  } else {
    return {};
  }
  SyslogMessage other = out;
  if (taking.rfc5424 && out.priority >= 0 && read_rfc5424(in, taking.loosely, out)) return out;
  // A few senders put a space here.
  in.skip(' ');
  if (taking.rfc3164 && read_rfc3164(in, taking.loosely, other)) return other;
  return {};
}

void each_parameter(std::string_view structured_data, const std::function<void(const SyslogParameter&)>& visit) {
  Reader in(structured_data);
  const auto up_to = [&in](std::string_view ends) {
    const std::string_view found = in.rest().substr(0, in.rest().find_first_of(ends));
    in.take(found.size());
    return found;
  };
  while (in.skip('[')) {
    SyslogParameter one;
    one.element = up_to(" ]");
    if (in.rest().starts_with(']')) visit(one);
    while (in.skip(' ')) {
      one.name = up_to("=");
      if (!in.skip('=') || !in.skip('"')) return;
      const std::string_view from = in.rest();
      while (!in.at_end() && in.rest().front() != '"')
        in.take(in.rest().front() == '\\' && in.rest().size() > 1 ? 2 : 1);
      one.value = from.substr(0, from.size() - in.rest().size());
      if (!in.skip('"')) return;
      visit(one);
    }
    if (!in.skip(']')) return;
  }
}

std::optional<std::int64_t> syslog_time(std::string_view timestamp, const logstash::Timezone& zone,
                                        std::int64_t now_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;
  if (begins_iso(timestamp)) return logstash::parse_iso8601(timestamp, zone);
  if (begins_iso(timestamp, ' ')) {
    std::array<char, 64> with_tee{};
    if (timestamp.size() > with_tee.size()) return std::nullopt;
    std::ranges::copy(timestamp, with_tee.begin());
    with_tee[kIsoTee] = 'T';
    return logstash::parse_iso8601({with_tee.data(), timestamp.size()}, zone);
  }
  Reader in(timestamp);
  ClockTime time;
  if (!read_old_time(in, time) || !in.at_end()) return std::nullopt;
  if (time.year < 0) {
    const std::int64_t utc = now_ns / kSecond - (now_ns % kSecond < 0);
    const std::int64_t local = utc + zone.at(utc).offset_seconds;
    const auto now = logstash::civil_from_days(local / kDay - (local % kDay < 0));
    time.year = static_cast<int>(now.year);
    if (time.month == 12 && now.month == 1) --time.year;
    if (time.month == 1 && now.month == 12) ++time.year;
  }
  const auto month = static_cast<unsigned>(time.month), day = static_cast<unsigned>(time.day);
  if (time.year < 1678 || time.year > 2261 || day > logstash::days_in_month(time.year, month)) return std::nullopt;
  // A leap second is the first one of the next minute.
  const std::int64_t local =
      logstash::days_from_civil(time.year, month, day) * kDay + time.hour * 3600 + time.minute * 60 + time.second;
  const auto utc = zone.to_utc(local, logstash::Timezone::Gap::forward);
  if (!utc) return std::nullopt;
  return *utc * kSecond + time.nanoseconds;
}

}  // namespace enclave::pipeline
