#include <fmt/format.h>
#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/string.h>

#include <array>
#include <optional>

#include "pipeline/logstash/date_pattern.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {
namespace {

using State = Machine::State;
using logstash::DatePattern;

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;

std::int64_t floor_of(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

struct Clock {
  logstash::CivilDate date;
  std::int64_t hour = 0, minute = 0, second = 0, nanos = 0, weekday = 0, day_of_year = 0;
};

Clock clock_at(std::int64_t ns, std::int64_t offset_seconds) {
  const std::int64_t seconds = floor_of(ns, kSecond) + offset_seconds, days = floor_of(seconds, kDay);
  const std::int64_t rest = seconds - days * kDay;
  Clock clock{.date = logstash::civil_from_days(days)};
  clock.hour = rest / 3600;
  clock.minute = rest / 60 % 60;
  clock.second = rest % 60;
  clock.nanos = ns - floor_of(ns, kSecond) * kSecond;
  clock.weekday = ((days + 4) % 7 + 7) % 7;
  clock.day_of_year = days - logstash::days_from_civil(clock.date.year, 1, 1) + 1;
  return clock;
}

constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};

/// Native.clock(ns, offset): [year, month, day, hour, minute, second, weekday, day of the year]
mrb_value native_clock(mrb_state* mrb, mrb_value /*self*/) {
  mrb_int ns = 0, offset = 0;
  mrb_get_args(mrb, "ii", &ns, &offset);
  const Clock clock = clock_at(ns, offset);
  const mrb_value list = mrb_ary_new_capa(mrb, 8);
  for (const std::int64_t part : {clock.date.year, std::int64_t{clock.date.month}, std::int64_t{clock.date.day},
                                  clock.hour, clock.minute, clock.second, clock.weekday, clock.day_of_year})
    mrb_ary_push(mrb, list, mrb_int_value(mrb, part));
  return list;
}

/// Native.seconds(year, month, day, hour, minute, second): since 1970, as if in UTC; nil for what is no date.
mrb_value native_seconds(mrb_state* mrb, mrb_value /*self*/) {
  mrb_int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  mrb_get_args(mrb, "iiiiii", &year, &month, &day, &hour, &minute, &second);
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 24 || minute < 0 ||
      minute > 59 || second < 0 || second > 60 || day > logstash::days_in_month(year, static_cast<unsigned>(month)))
    return mrb_nil_value();
  const std::int64_t days = logstash::days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  return mrb_int_value(mrb, days * kDay + hour * 3600 + minute * 60 + second);
}

std::optional<std::int64_t> offset_in(State& state, std::string_view zone, std::int64_t seconds, bool local) {
  const logstash::Timezone* const found = state.zones(zone);
  if (found == nullptr) return zone == "localtime" ? std::optional<std::int64_t>(0) : std::nullopt;
  if (!local) return found->at(seconds).offset_seconds;
  const auto utc = found->to_utc(seconds, logstash::Timezone::Gap::forward);
  return utc ? std::optional(seconds - *utc) : std::nullopt;
}

/// Native.offset(zone, seconds, whether these are local ones): of "localtime", "Europe/Berlin", "+02:00"; or nil.
mrb_value native_offset(mrb_state* mrb, mrb_value /*self*/) {
  mrb_value zone;
  mrb_int seconds = 0;
  mrb_bool local = 0;
  mrb_get_args(mrb, "Sib", &zone, &seconds, &local);
  const auto offset = offset_in(state_of(mrb), view(zone), seconds, local != 0);
  return offset ? mrb_int_value(mrb, *offset) : mrb_nil_value();
}

std::string offset_text(std::int64_t offset, bool colon) {
  const std::int64_t size = offset < 0 ? -offset : offset;
  return fmt::format("{}{:02}{}{:02}", offset < 0 ? '-' : '+', size / 3600, colon ? ":" : "", size / 60 % 60);
}

void append_padded(std::int64_t value, int width, char pad, std::string& out) {
  const std::string digits = std::to_string(value);
  if (pad != '-')
    for (auto i = static_cast<int>(digits.size()); i < width; ++i) out += pad;
  out += digits;
}

/// One directive of strftime: "%-d" has a letter and how it is padded.
struct Directive {
  char letter = 0, pad = 0;
  int width = 0;
  bool colon = false;
};

/// The time that is shown.
struct Shown {
  std::int64_t ns = 0, offset = 0;
  bool utc = false;
  Clock clock = clock_at(ns, offset);
};

/// A number with its usual digits and padding; nothing for other letters.
struct Number {
  std::int64_t value = 0;
  int digits = 1;
  char pad = '0';
};
std::optional<Number> number_of(char letter, const Shown& time) {
  const Clock& clock = time.clock;
  const std::int64_t half = clock.hour % 12 == 0 ? 12 : clock.hour % 12;
  switch (letter) {
    case 'Y':
      return Number{clock.date.year, 4};
    case 'C':
      return Number{clock.date.year / 100, 2};
    case 'y':
      return Number{clock.date.year % 100, 2};
    case 'm':
      return Number{clock.date.month, 2};
    case 'd':
      return Number{clock.date.day, 2};
    case 'e':
      return Number{clock.date.day, 2, ' '};
    case 'j':
      return Number{clock.day_of_year, 3};
    case 'H':
      return Number{clock.hour, 2};
    case 'k':
      return Number{clock.hour, 2, ' '};
    case 'I':
      return Number{half, 2};
    case 'l':
      return Number{half, 2, ' '};
    case 'M':
      return Number{clock.minute, 2};
    case 'S':
      return Number{clock.second, 2};
    case 'u':
      return Number{clock.weekday == 0 ? 7 : clock.weekday};
    case 'w':
      return Number{clock.weekday};
    case 's':
      return Number{floor_of(time.ns, kSecond)};
    case 'Q':
      return Number{floor_of(time.ns, 1'000'000)};
    default:
      return std::nullopt;
  }
}

std::optional<std::string> name_of(const Directive& directive, const Shown& time) {
  const Clock& clock = time.clock;
  switch (directive.letter) {
    case 'A':
      return std::string(kDays[clock.weekday]);
    case 'a':
      return std::string(kDays[clock.weekday].substr(0, 3));
    case 'B':
      return std::string(kMonths[clock.date.month - 1]);
    case 'b':
    case 'h':
      return std::string(kMonths[clock.date.month - 1].substr(0, 3));
    case 'p':
      return clock.hour < 12 ? "AM" : "PM";
    case 'P':
      return clock.hour < 12 ? "am" : "pm";
    case 'z':
      return offset_text(time.offset, directive.colon);
    case 'Z':
      return time.utc ? "UTC" : offset_text(time.offset, true);
    case 'L':
    case 'N': {
      const int digits = directive.width > 0 ? std::min(directive.width, 24) : directive.letter == 'L' ? 3 : 9;
      return (fmt::format("{:09}", clock.nanos) + std::string(15, '0')).substr(0, static_cast<std::size_t>(digits));
    }
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

/// What stands for several directives; "" for other letters.
std::string_view expansion_of(char letter) {
  switch (letter) {
    case 'F':
      return "Y-m-d";
    case 'T':
    case 'X':
      return "H:M:S";
    case 'D':
    case 'x':
      return "m/d/y";
    case 'R':
      return "H:M";
    case 'r':
      return "I:M:S p";
    case 'c':
      return "a b e H:M:S Y";
    default:
      return "";
  }
}

/// False for what is no directive.
bool append_directive(const Directive& directive, const Shown& time, std::string& out) {
  if (const auto number = number_of(directive.letter, time)) {
    append_padded(number->value, directive.width > 0 ? directive.width : number->digits,
                  directive.pad == '\0' ? number->pad : directive.pad, out);
    return true;
  }
  if (auto name = name_of(directive, time)) {
    if (directive.pad == '^')
      for (char& c : *name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    out += *name;
    return true;
  }
  const std::string_view several = expansion_of(directive.letter);
  for (const char c : several)
    if (!append_directive({.letter = c}, time, out)) out += c;
  return !several.empty();
}

void format_time(std::string_view format, const Shown& time, std::string& out) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const std::size_t begin = i++;
    Directive directive;
    for (; i < format.size() && std::string_view("-0^_:").find(format[i]) != std::string_view::npos; ++i) {
      if (format[i] == ':') {
        directive.colon = true;
      } else {
        directive.pad = format[i] == '_' ? ' ' : format[i];
      }
    }
    for (; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i)
      directive.width = std::min(directive.width * 10 + (format[i] - '0'), 64);
    directive.letter = i < format.size() ? format[i] : '\0';
    if (!append_directive(directive, time, out)) out += format.substr(begin, i - begin + 1);
  }
}

/// Native.strftime(format, ns, offset, whether it is UTC)
mrb_value native_strftime(mrb_state* mrb, mrb_value /*self*/) {
  State& state = state_of(mrb);
  mrb_value format;
  mrb_int ns = 0, offset = 0;
  mrb_bool utc = 0;
  mrb_get_args(mrb, "Siib", &format, &ns, &offset, &utc);
  state.spend(static_cast<std::size_t>(RSTRING_LEN(format)));
  state.text.clear();
  format_time(view(format), {.ns = ns, .offset = offset, .utc = utc != 0}, state.text);
  return to_text(mrb, state.text);
}

const logstash::Timezone& local_zone(const State& state) {
  static const logstash::Timezone kUtc = logstash::Timezone::utc();
  const logstash::Timezone* const local = state.zones("localtime");
  return local == nullptr ? kUtc : *local;
}

/// The forms that Time.parse is given most.
constexpr const char* kForms[] = {"yyyy-MM-dd HH:mm:ss,SSS",
                                  "yyyy-MM-dd HH:mm:ss.SSSSSSSSS Z",
                                  "yyyy-MM-dd HH:mm:ss Z",
                                  "yyyy-MM-dd HH:mm:ss",
                                  "yyyy-MM-dd HH:mm",
                                  "yyyy/MM/dd HH:mm:ss",
                                  "yyyy/MM/dd",
                                  "EEE, dd MMM yyyy HH:mm:ss Z",
                                  "EEE, dd MMM yyyy HH:mm:ss z",
                                  "EEE MMM dd HH:mm:ss Z yyyy",
                                  "EEE MMM dd HH:mm:ss z yyyy",
                                  "EEE MMM dd HH:mm:ss yyyy",
                                  "EEE MMM  d HH:mm:ss yyyy",
                                  "dd/MMM/yyyy:HH:mm:ss Z",
                                  "dd MMM yyyy HH:mm:ss",
                                  "dd MMM yyyy",
                                  "MMM dd HH:mm:ss",
                                  "MMM  d HH:mm:ss",
                                  "MMM dd yyyy HH:mm:ss",
                                  "yyyyMMddHHmmss",
                                  "yyyyMMdd",
                                  "HH:mm:ss"};

std::optional<std::int64_t> read_by(State& state, const std::string& form, std::string_view text) {
  auto pattern = DatePattern::compile(form, DatePattern::Language::joda);
  if (!pattern) return std::nullopt;
  const std::int64_t now = state.run == nullptr ? 0 : state.run->now_ns;
  const auto& zone = local_zone(state);
  const Clock clock = clock_at(now, zone.at(floor_of(now, kSecond)).offset_seconds);
  const auto parsed = pattern->parse(text, {zone, now, clock.date.year, &state.zones});
  if (!parsed) return std::nullopt;
  return parsed->wall_ns;
}

std::optional<std::int64_t> read_time(State& state, std::string_view text) {
  if (const auto iso = logstash::parse_iso8601(text, local_zone(state))) return iso;
  for (const char* form : kForms)
    if (const auto read = read_by(state, form, text)) return read;
  return std::nullopt;
}

/// Native.parse_time(text), Native.parse_time(text, Joda pattern): nanoseconds, or nil.
mrb_value native_parse_time(mrb_state* mrb, mrb_value /*self*/) {
  State& state = state_of(mrb);
  mrb_value text, form = mrb_nil_value();
  mrb_get_args(mrb, "S|o", &text, &form);
  state.steps -= 20;
  const auto read =
      mrb_string_p(form) ? read_by(state, std::string(view(form)), view(text)) : read_time(state, view(text));
  return read ? mrb_int_value(mrb, *read) : mrb_nil_value();
}

}  // namespace

void define_times(mrb_state* mrb) {
  State& state = state_of(mrb);
  state.ns = mrb_intern_lit(mrb, "@ns");
  state.offset = mrb_intern_lit(mrb, "@offset");
  state.time = mrb_define_class(mrb, "Time", mrb->object_class);
  state.timestamp = mrb_define_class_under(mrb, mrb_define_module(mrb, "LogStash"), "Timestamp", mrb->object_class);
  RClass* const native = mrb_define_module(mrb, "Native");
  mrb_define_module_function(mrb, native, "clock", native_clock, MRB_ARGS_REQ(2));
  mrb_define_module_function(mrb, native, "seconds", native_seconds, MRB_ARGS_REQ(6));
  mrb_define_module_function(mrb, native, "offset", native_offset, MRB_ARGS_REQ(3));
  mrb_define_module_function(mrb, native, "strftime", native_strftime, MRB_ARGS_REQ(4));
  mrb_define_module_function(mrb, native, "parse_time", native_parse_time, MRB_ARGS_ARG(1, 1));
}

}  // namespace enclave::pipeline::ruby
