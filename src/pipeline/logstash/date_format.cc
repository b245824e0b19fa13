#include <array>

#include "pipeline/logstash/date_names.h"
#include "pipeline/logstash/date_pattern.h"

namespace enclave::pipeline::logstash {
namespace {

using Field = DatePattern::Field;
using Part = DatePattern::Part;

constexpr std::int64_t kSecond = 1'000'000'000, kMilli = 1'000'000, kDay = 86'400;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

/// A time taken apart once for all parts of a pattern.
struct Clock {
  CivilDate date;
  std::int64_t days = 0, second_of_day = 0, nanos = 0;
  std::int64_t weekday = 1, day_of_year = 1, weekyear = 1970, week = 1;
  std::int32_t offset = 0;
};

Clock clock_of(std::int64_t wall_ns, std::int32_t offset) {
  Clock out;
  const std::int64_t seconds = floor_div(wall_ns, kSecond) + offset;
  out.offset = offset;
  out.nanos = wall_ns - floor_div(wall_ns, kSecond) * kSecond;
  out.days = floor_div(seconds, kDay);
  out.second_of_day = seconds - out.days * kDay;
  out.date = civil_from_days(out.days);
  out.weekday = ((out.days + 3) % 7 + 7) % 7 + 1;
  out.day_of_year = out.days - days_from_civil(out.date.year, 1, 1) + 1;
  // The week belongs to the year of its Thursday.
  const std::int64_t thursday = out.days - out.weekday + 4;
  out.weekyear = civil_from_days(thursday).year;
  out.week = (thursday - days_from_civil(out.weekyear, 1, 1)) / 7 + 1;
  return out;
}

void number(std::string& out, std::int64_t value, std::size_t digits_least) {
  std::array<char, 20> digits{};
  std::size_t at = digits.size();
  auto rest = static_cast<std::uint64_t>(value < 0 ? -value : value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) out += '-';
  const std::size_t count = digits.size() - at;
  if (count < digits_least) out.append(digits_least - count, '0');
  out.append(digits.data() + at, count);
}

void fraction(std::string& out, std::int64_t nanos, std::size_t digits) {
  std::int64_t unit = kSecond / 10;
  for (; digits > 0; --digits) {
    out += static_cast<char>('0' + (unit > 0 ? nanos / unit % 10 : 0));
    unit /= 10;
  }
}

/// Names of three lengths: one letter, three, all of it.
void name(std::string& out, std::string_view text, const Part& part) {
  out += text.substr(0, part.count == 5 ? 1 : part.count >= 4 ? text.size() : date_names::kShort);
}

void offset(std::string& out, std::int32_t seconds, const Part& part, DatePattern::Language language) {
  const bool java = language == DatePattern::Language::java;
  const bool words = java && (part.letter == 'O' || (part.letter == 'Z' && part.count == 4));
  if (words) out += "GMT";
  if (seconds == 0 && words) return;
  if (seconds == 0 && java && (part.letter == 'X' || (part.letter == 'Z' && part.count == 5))) {
    out += 'Z';
    return;
  }
  const std::int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  out += seconds < 0 ? '-' : '+';
  number(out, minutes / 60, part.letter == 'O' && part.count == 1 ? 1 : 2);
  const bool may_be_short = java && part.count == 1 && part.letter != 'Z';
  if (may_be_short && minutes % 60 == 0) return;
  const bool x = part.letter == 'X' || part.letter == 'x';
  const bool colon =
      java ? words || (x && (part.count == 3 || part.count == 5)) || (part.letter == 'Z' && part.count == 5)
           : part.count == 2;
  if (colon) out += ':';
  number(out, minutes % 60, 2);
}

std::int64_t value_of(Field field, const Clock& clock) {
  const std::int64_t hour = clock.second_of_day / 3600;
  const std::int64_t of_era = clock.date.year > 0 ? clock.date.year : 1 - clock.date.year;
  switch (field) {
    case Field::century:
      return of_era / 100;
    case Field::year:
      return clock.date.year;
    case Field::year_of_era:
      return of_era;
    case Field::short_year:
      return (clock.date.year % 100 + 100) % 100;
    case Field::weekyear:
      return clock.weekyear;
    case Field::short_weekyear:
      return (clock.weekyear % 100 + 100) % 100;
    case Field::week:
      return clock.week;
    case Field::week_of_month: {
      // Weeks begin on Monday; the first one has at least four days of the month.
      const std::int64_t first = (clock.weekday - clock.date.day % 7 + 7) % 7;
      return (clock.date.day + first - 1) / 7 + (first <= 3 ? 1 : 0);
    }
    case Field::week_in_month:
      return (clock.date.day - 1) / 7 + 1;
    case Field::weekday:
      return clock.weekday;
    case Field::day_of_year:
      return clock.day_of_year;
    case Field::month:
      return clock.date.month;
    case Field::quarter:
      return (clock.date.month - 1) / 3 + 1;
    case Field::day:
      return clock.date.day;
    case Field::hour_from_0_to_11:
      return hour % 12;
    case Field::hour_from_1_to_12:
      return hour % 12 == 0 ? 12 : hour % 12;
    case Field::hour:
      return hour;
    case Field::hour_from_1_to_24:
      return hour == 0 ? 24 : hour;
    case Field::minute:
      return clock.second_of_day / 60 % 60;
    case Field::second:
      return clock.second_of_day % 60;
    case Field::milli_of_day:
      return clock.second_of_day * 1000 + clock.nanos / kMilli;
    case Field::nano_of_second:
      return clock.nanos;
    case Field::nano_of_day:
      return clock.second_of_day * kSecond + clock.nanos;
    default:
      return 0;
  }
}

void zone(std::string& out, const Part& part, const Timezone& zone, std::string_view abbreviation, bool java) {
  if (java && zone.is_utc()) {
    out += 'Z';
  } else if (part.field == Field::zone_id) {
    out += zone.name();
  } else if (part.count >= 4) {
    out += zone.is_utc() ? std::string_view("Coordinated Universal Time") : std::string_view(zone.name());
  } else {
    out += abbreviation;
  }
}

}  // namespace

void DatePattern::append(std::int64_t wall_ns, const Timezone& in, std::string& out) const {
  const bool java = language_ == Language::java;
  const auto local = in.at(floor_div(wall_ns, kSecond));
  Clock clock = clock_of(wall_ns, local.offset_seconds);
  if (!java) clock.nanos -= clock.nanos % kMilli;
  for (const auto& part : parts_) {
    switch (part.field) {
      case Field::literal:
        out += part.literal;
        break;
      case Field::optional_begin:
      case Field::optional_end:
        break;
      case Field::era:
        if (java && part.count == 4) {
          out += clock.date.year > 0 ? "Anno Domini" : "Before Christ";
        } else {
          out += java && part.count == 5 ? (clock.date.year > 0 ? "A" : "B") : (clock.date.year > 0 ? "AD" : "BC");
        }
        break;
      case Field::weekday_text:
        name(out, date_names::kDays[clock.weekday - 1], part);
        break;
      case Field::month_text:
        name(out, date_names::kMonths[clock.date.month - 1], part);
        break;
      case Field::quarter_text: {
        const auto quarter = static_cast<std::size_t>(value_of(Field::quarter, clock));
        if (part.count == 3) out += 'Q';
        if (part.count == 4) {
          out += date_names::kQuarters[quarter - 1];
        } else {
          number(out, static_cast<std::int64_t>(quarter), 1);
        }
        break;
      }
      case Field::half_day:
        out += clock.second_of_day < kDay / 2 ? "AM" : "PM";
        break;
      case Field::fraction:
        fraction(out, clock.nanos, part.count);
        break;
      case Field::offset:
        offset(out, clock.offset, part, language_);
        break;
      case Field::zone_text:
      case Field::zone_id:
        zone(out, part, in, local.abbreviation, java);
        break;
      default:
        number(out, value_of(part.field, clock), part.printed);
    }
  }
}

}  // namespace enclave::pipeline::logstash
