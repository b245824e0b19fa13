#include <algorithm>
#include <optional>

#include "pipeline/logstash/date_names.h"
#include "pipeline/logstash/date_pattern.h"

namespace enclave::pipeline::logstash {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kYearLeast = 1678, kYearMost = 2261;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool begins_with(std::string_view text, std::string_view name) {
  if (text.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (lower(text[i]) != lower(name[i])) return false;
  return true;
}

struct Abbreviation {
  std::string_view name, zone;
  std::int32_t offset_seconds;
};
/// What Joda reads for z. The zone decides where it is known, so that "EST" in July is New York's time.
constexpr Abbreviation kAbbreviations[] = {{"UTC", "", 0},
                                           {"GMT", "", 0},
                                           {"UT", "", 0},
                                           {"Z", "", 0},
                                           {"EST", "America/New_York", -18'000},
                                           {"EDT", "America/New_York", -14'400},
                                           {"CST", "America/Chicago", -21'600},
                                           {"CDT", "America/Chicago", -18'000},
                                           {"MST", "America/Denver", -25'200},
                                           {"MDT", "America/Denver", -21'600},
                                           {"PST", "America/Los_Angeles", -28'800},
                                           {"PDT", "America/Los_Angeles", -25'200}};

}  // namespace

/// What the parts have said so far.
class DateReader {
 public:
  using Field = DatePattern::Field;
  using Part = DatePattern::Part;

  DateReader(const DatePattern& pattern, std::string_view text, const DatePattern::Context& context)
      : pattern_(pattern), text_(text), context_(context) {}

  bool read(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Part& part = pattern_.parts_[i];
      if (part.field == Field::optional_begin) {
        const Said before = said_;
        const std::size_t at = at_;
        if (!read(i + 1, part.jump)) {
          said_ = before;
          at_ = at;
        }
        i = part.jump;
      } else if (!read(part)) {
        furthest_ = std::max(furthest_, at_);
        return false;
      }
    }
    return true;
  }

  tl::expected<DatePattern::Parsed, DatePattern::Misfit> finish(bool fitted) const {
    if (!fitted) return tl::unexpected(DatePattern::Misfit{furthest_, false});
    if (at_ != text_.size()) return tl::unexpected(DatePattern::Misfit{at_, false});
    const auto days = resolve_days();
    const auto nanos = resolve_time();
    if (!days || !nanos) return tl::unexpected(DatePattern::Misfit{text_.size(), true});
    const std::int64_t local = *days * 86'400 + *nanos / kSecond;
    DatePattern::Parsed out;
    out.has_year = said_.year.has_value() || said_.weekyear.has_value();
    out.has_zone = said_.offset.has_value() || said_.zone != nullptr;
    std::int64_t seconds = local - said_.offset.value_or(0);
    if (!said_.offset) {
      const Timezone& zone = said_.zone != nullptr ? *said_.zone : context_.zone;
      const bool joda = pattern_.language_ == DatePattern::Language::joda;
      const auto moment = zone.to_utc(local, joda ? Timezone::Gap::refuse : Timezone::Gap::forward);
      if (!moment) return tl::unexpected(DatePattern::Misfit{text_.size(), true});
      seconds = *moment;
    }
    out.wall_ns = seconds * kSecond + *nanos % kSecond;
    return out;
  }

 private:
  struct Said {
    std::optional<std::int64_t> year, weekyear, month, day, day_of_year, week, weekday, quarter;
    std::optional<std::int64_t> hour, half_hour, minute, second, nanos, nano_of_day;
    std::optional<std::int32_t> offset;
    const Timezone* zone = nullptr;
    bool afternoon = false, before_christ = false;
  };

  std::string_view rest() const { return text_.substr(at_); }

  bool literal(const std::string& wanted) {
    if (!rest().starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  std::size_t digits_here() const {
    std::size_t count = 0;
    while (at_ + count < text_.size() && is_digit(text_[at_ + count])) ++count;
    return count;
  }

  bool number(const Part& part, std::int64_t& value, std::size_t& count) {
    const bool may_be_signed = part.field == Field::year || part.field == Field::weekyear;
    const std::size_t begin = at_;
    const bool negative = may_be_signed && rest().starts_with('-');
    if (may_be_signed && (negative || rest().starts_with('+'))) ++at_;
    const std::size_t here = digits_here();
    count = std::min<std::size_t>(here, part.most);
    if (part.reserved > 0) count = std::min(count, here > part.reserved ? here - part.reserved : 0);
    if (count < std::max<std::size_t>(part.least, 1) || count > 18) {
      at_ = count > 18 ? begin : at_;
      return false;
    }
    value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + (text_[at_ + i] - '0');
    at_ += count;
    if (negative) value = -value;
    return true;
  }

  bool fraction(const Part& part) {
    const std::size_t count = std::min<std::size_t>(digits_here(), part.most);
    if (count < part.least) return false;
    std::int64_t nanos = 0, unit = kSecond / 10;
    for (std::size_t i = 0; i < count; ++i, unit /= 10) nanos += (text_[at_ + i] - '0') * unit;
    at_ += count;
    said_.nanos = nanos;
    return true;
  }

  template <std::size_t size>
  bool name(const std::string_view (&names)[size], std::optional<std::int64_t>& out) {
    for (const bool whole : {true, false})
      for (std::size_t i = 0; i < size; ++i) {
        const std::string_view one = whole ? names[i] : names[i].substr(0, date_names::kShort);
        if (!begins_with(rest(), one)) continue;
        out = static_cast<std::int64_t>(i) + 1;
        at_ += one.size();
        return true;
      }
    return false;
  }

  bool short_year(const Part& part, std::optional<std::int64_t>& out) {
    std::int64_t value = 0;
    const std::size_t here = digits_here();
    const bool joda = pattern_.language_ == DatePattern::Language::joda;
    const bool last = &part == &pattern_.parts_.back() || (&part)[1].most == 0;
    // Joda takes a year that is not of two digits as it stands, unless digits follow in the pattern.
    const std::size_t count = joda && last && here != 2 ? here : 2;
    if (here < count || count == 0 || count > 9) return false;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + (text_[at_ + i] - '0');
    at_ += count;
    if (count == 2 && joda) {
      const std::int64_t now = civil_from_days(context_.now_ns / kSecond / 86'400).year;
      value += (now - 80) / 100 * 100;
      if (value < now - 80) value += 100;
    } else if (count == 2) {
      value += 2000;
    }
    out = value;
    return true;
  }

  bool offset() {
    if (rest().starts_with("GMT") || rest().starts_with("UTC")) {
      at_ += 3;
      if (!rest().starts_with('+') && !rest().starts_with('-')) {
        said_.offset = 0;
        return true;
      }
    }
    if (rest().starts_with('Z')) {
      ++at_;
      said_.offset = 0;
      return true;
    }
    if (!rest().starts_with('+') && !rest().starts_with('-')) return false;
    const bool negative = text_[at_++] == '-';
    std::int32_t seconds = 0;
    for (const std::int32_t unit : {3600, 60, 1}) {
      const bool colon = unit < 3600 && rest().starts_with(':');
      const std::size_t from = at_ + (colon ? 1 : 0);
      std::size_t digits = 0;
      while (digits < 2 && from + digits < text_.size() && is_digit(text_[from + digits])) ++digits;
      if (digits < (unit == 3600 ? 1U : 2U)) {
        if (unit == 3600) return false;
        break;
      }
      std::int32_t value = 0;
      for (std::size_t i = 0; i < digits; ++i) value = value * 10 + (text_[from + i] - '0');
      if (value > (unit == 3600 ? 23 : 59)) return false;
      seconds += value * unit;
      at_ = from + digits;
    }
    said_.offset = negative ? -seconds : seconds;
    return true;
  }

  bool zone() {
    constexpr std::size_t kNameBytesMax = 40;
    std::size_t length = 0;
    const auto belongs = [](char c) { return c == '/' || is_zone_name({&c, 1}); };
    while (length < std::min(kNameBytesMax, rest().size()) && belongs(rest()[length])) ++length;
    if (rest().starts_with('+') || rest().starts_with('-')) return offset();
    for (; length > 0; --length) {
      const std::string_view name = rest().substr(0, length);
      const auto* known = std::find_if(std::begin(kAbbreviations), std::end(kAbbreviations),
                                       [name](const Abbreviation& one) { return one.name == name; });
      const bool listed = known != std::end(kAbbreviations);
      const std::string_view wanted = listed ? known->zone : name;
      if (context_.zones != nullptr && is_zone_name(wanted)) said_.zone = (*context_.zones)(wanted);
      if (said_.zone == nullptr && !listed) continue;
      if (said_.zone == nullptr) said_.offset = known->offset_seconds;
      at_ += length;
      return true;
    }
    return false;
  }

  bool read(const Part& part) {
    switch (part.field) {
      case Field::literal:
        return literal(part.literal);
      case Field::optional_begin:
      case Field::optional_end:
        return true;
      case Field::era:
        said_.before_christ = begins_with(rest(), "BC");
        if (!said_.before_christ && !begins_with(rest(), "AD")) return false;
        at_ += 2;
        return true;
      case Field::weekday_text:
        return name(date_names::kDays, said_.weekday);
      case Field::month_text:
        return name(date_names::kMonths, said_.month);
      case Field::quarter_text:
        return false;
      case Field::half_day:
        said_.afternoon = begins_with(rest(), "PM");
        if (!said_.afternoon && !begins_with(rest(), "AM")) return false;
        at_ += 2;
        return true;
      case Field::short_year:
        return short_year(part, said_.year);
      case Field::short_weekyear:
        return short_year(part, said_.weekyear);
      case Field::fraction:
        return fraction(part);
      case Field::offset:
        return offset();
      case Field::zone_text:
      case Field::zone_id:
        return zone();
      default:
        return numeric(part);
    }
  }

  /// The range of a field is looked at where the number stands, so that the message can point at it.
  bool numeric(const Part& part) {
    std::int64_t value = 0;
    std::size_t count = 0;
    const std::size_t begin = at_;
    if (!number(part, value, count)) return false;
    const auto within = [&](std::optional<std::int64_t>& out, std::int64_t least, std::int64_t most, std::int64_t set) {
      if (value < least || value > most) {
        at_ = begin;
        return false;
      }
      out = set;
      return true;
    };
    std::optional<std::int64_t> unused;
    switch (part.field) {
      case Field::year:
      case Field::year_of_era:
        return within(said_.year, kYearLeast, kYearMost, value);
      case Field::weekyear:
        return within(said_.weekyear, kYearLeast, kYearMost, value);
      case Field::month:
        return within(said_.month, 1, 12, value);
      case Field::quarter:
        return within(said_.quarter, 1, 4, value);
      case Field::day:
        return within(said_.day, 1, 31, value);
      case Field::day_of_year:
        return within(said_.day_of_year, 1, 366, value);
      case Field::week:
        return within(said_.week, 1, 53, value);
      case Field::weekday:
        return within(said_.weekday, 1, 7, value);
      case Field::hour:
        return within(said_.hour, 0, 23, value);
      case Field::hour_from_1_to_24:
        return within(said_.hour, 1, 24, value % 24);
      case Field::hour_from_0_to_11:
        return within(said_.half_hour, 0, 11, value);
      case Field::hour_from_1_to_12:
        return within(said_.half_hour, 1, 12, value % 12);
      case Field::minute:
        return within(said_.minute, 0, 59, value);
      case Field::second:
        return within(said_.second, 0, 59, value);
      case Field::nano_of_second:
        return within(said_.nanos, 0, kSecond - 1, value);
      case Field::milli_of_day:
        return within(said_.nano_of_day, 0, 86'399'999, value % 86'400'000 * 1'000'000);
      case Field::nano_of_day:
        return within(said_.nano_of_day, 0, 86'400 * kSecond - 1, value);
      default:
        return within(unused, 0, kSecond, value);
    }
  }

  std::optional<std::int64_t> resolve_days() const {
    std::int64_t year = said_.year.value_or(said_.weekyear.value_or(context_.year));
    if (said_.before_christ || year < kYearLeast || year > kYearMost) return std::nullopt;
    if (said_.day_of_year) {
      const std::int64_t days = days_from_civil(year, 1, 1) + *said_.day_of_year - 1;
      if (civil_from_days(days).year != year) return std::nullopt;
      return days;
    }
    if (said_.week && !said_.month && !said_.day) {
      // The week with the 4th of January is the first one.
      year = said_.weekyear.value_or(year);
      const std::int64_t fourth = days_from_civil(year, 1, 4);
      const std::int64_t monday = fourth - ((fourth + 3) % 7 + 7) % 7;
      const std::int64_t days = monday + (*said_.week - 1) * 7 + said_.weekday.value_or(1) - 1;
      if (civil_from_days(days - said_.weekday.value_or(1) + 4).year != year) return std::nullopt;
      return days;
    }
    const auto month = static_cast<unsigned>(said_.month.value_or(1));
    const auto day = static_cast<unsigned>(said_.day.value_or(1));
    if (day > days_in_month(year, month)) return std::nullopt;
    return days_from_civil(year, month, day);
  }

  std::optional<std::int64_t> resolve_time() const {
    if (said_.nano_of_day) return said_.nano_of_day;
    const std::int64_t hour =
        said_.hour.value_or(said_.half_hour.value_or(0) + (said_.half_hour && said_.afternoon ? 12 : 0));
    return (hour * 3600 + said_.minute.value_or(0) * 60 + said_.second.value_or(0)) * kSecond + said_.nanos.value_or(0);
  }

  const DatePattern& pattern_;
  std::string_view text_;
  const DatePattern::Context& context_;
  Said said_;
  std::size_t at_ = 0, furthest_ = 0;
};

tl::expected<DatePattern::Parsed, DatePattern::Misfit> DatePattern::parse(std::string_view text,
                                                                          const Context& context) const {
  DateReader reader(*this, text, context);
  const bool fitted = reader.read(0, parts_.size());
  return reader.finish(fitted);
}

}  // namespace enclave::pipeline::logstash
