#include "pipeline/logstash/timezone.h"

#include <algorithm>

namespace enclave::pipeline::logstash {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

/// Up to `digits_max` digits; -1 without any.
int take_number(std::string_view& text, std::size_t digits_max) {
  int value = -1;
  for (std::size_t i = 0; i < digits_max && !text.empty() && is_digit(text[0]); ++i) {
    value = std::max(value, 0) * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return value;
}

}  // namespace

// The days of a year counted from March, so that a leap day is its last one.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = floor_div(year, 400);
  const auto of_era = static_cast<std::int64_t>(year - era * 400);
  const std::int64_t of_year = (153 * (static_cast<std::int64_t>(month) + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = floor_div(days, 146'097);
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  CivilDate out;
  out.day = static_cast<unsigned>(of_year - (153 * month + 2) / 5 + 1);
  out.month = static_cast<unsigned>(month < 10 ? month + 3 : month - 9);
  out.year = year + era * 400 + (out.month <= 2);
  return out;
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name[0] == '/' || name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' || c == '-' ||
           c == '/';
  });
}

Timezone Timezone::utc() {
  Timezone zone;
  zone.name_ = "UTC";
  zone.types_.push_back({0, "UTC"});
  return zone;
}

Timezone Timezone::fixed(std::int32_t offset_seconds) {
  if (offset_seconds == 0) return utc();
  const int minutes = std::abs(offset_seconds) / 60;
  Timezone zone;
  zone.name_ = fmt::format("{}{:02}:{:02}", offset_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
  zone.types_.push_back({offset_seconds, zone.name_});
  return zone;
}

Result<Timezone> Timezone::from_offset_name(std::string_view name) {
  std::string_view rest = name;
  for (const std::string_view prefix : {"UTC", "GMT", "UT"})
    if (rest.starts_with(prefix)) {
      rest.remove_prefix(prefix.size());
      break;
    }
  if (rest.empty() || name == "Z" || name == "z") {
    if (name.empty()) return Error{Fault::invalid, "an empty name of a time zone"};
    return utc();
  }
  const char sign = rest[0];
  rest.remove_prefix(1);
  const int hours = take_number(rest, 2);
  if (rest.starts_with(':')) rest.remove_prefix(1);
  const int minutes = rest.empty() ? 0 : take_number(rest, 2);
  if ((sign != '+' && sign != '-') || hours < 0 || hours > 18 || minutes < 0 || minutes > 59 || !rest.empty())
    return Error{Fault::invalid, "\"{}\" is no offset from UTC; write +02:00", name};
  return fixed((sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60));
}

std::int64_t Timezone::Change::local_seconds(std::int64_t year) const {
  std::int64_t days = days_from_civil(year, 1, 1);
  if (form == Form::julian) {
    days += day - 1 + (is_leap(year) && day > 59);
  } else if (form == Form::day_of_year) {
    days += day;
  } else {
    const auto of_month = static_cast<unsigned>(month);
    const std::int64_t first = days_from_civil(year, of_month, 1);
    const std::int64_t weekday = (((first + 4) % 7) + 7) % 7;
    std::int64_t at = (day - weekday + 7) % 7 + (week - 1) * 7;
    if (at >= days_in_month(year, of_month)) at -= 7;
    days = first + at;
  }
  return days * 86'400 + seconds;
}

const Timezone::Type& Timezone::type_at(std::int64_t utc_seconds) const {
  const bool beyond = transitions_.empty() || utc_seconds >= transitions_.back();
  if (rule_.set && beyond) {
    if (!rule_.has_summer) return rule_.standard;
    const std::int64_t year = civil_from_days(floor_div(utc_seconds + rule_.standard.offset_seconds, 86'400)).year;
    const std::int64_t begin = rule_.to_summer.local_seconds(year) - rule_.standard.offset_seconds;
    const std::int64_t end = rule_.to_standard.local_seconds(year) - rule_.summer.offset_seconds;
    const bool summer =
        begin < end ? utc_seconds >= begin && utc_seconds < end : utc_seconds >= begin || utc_seconds < end;
    return summer ? rule_.summer : rule_.standard;
  }
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), utc_seconds);
  if (next == transitions_.begin()) return types_.front();
  return types_[kinds_[static_cast<std::size_t>(next - transitions_.begin()) - 1]];
}

Timezone::Local Timezone::at(std::int64_t utc_seconds) const {
  const Type& type = type_at(utc_seconds);
  return {type.offset_seconds, type.abbreviation};
}

Result<std::int64_t> Timezone::to_utc(std::int64_t local_seconds, Gap gap) const {
  if (transitions_.empty() && !rule_.set) return local_seconds - types_.front().offset_seconds;
  // A day to either side is further than any offset: the two candidates, before and after a change near by.
  const std::int64_t before = at(local_seconds - 86'400).offset_seconds;
  const std::int64_t after = at(local_seconds + 86'400).offset_seconds;
  const std::int64_t early = local_seconds - std::max(before, after), late = local_seconds - std::min(before, after);
  if (at(early).offset_seconds == local_seconds - early) return early;
  if (at(late).offset_seconds == local_seconds - late) return late;
  if (gap == Gap::refuse) return Error{Fault::invalid, "the clocks of {} skipped this time", name_};
  return local_seconds - before;
}

}  // namespace enclave::pipeline::logstash
