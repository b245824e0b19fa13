#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace enclave::pipeline::logstash {

/// How far local time was from UTC, when. Times are seconds since the epoch. Immutable; thread-safe.
class Timezone {
 public:
  struct Local {
    std::int32_t offset_seconds = 0;  ///< east of Greenwich is positive
    std::string_view abbreviation;    ///< "CET"; lives as long as the zone
  };

  static Timezone utc();
  static Timezone fixed(std::int32_t offset_seconds);
  /// A compiled zone (TZif of version 1 to 4, RFC 9636), of at most kTzifBytesMax. Fault::corrupt when it is none.
  /// Times after its last transition follow the rule of its footer.
  static Result<Timezone> from_tzif(std::string_view bytes, std::string name);
  /// "UTC", "GMT", "Z", "+02:00", "-0530", "UTC+2"; none for other names, which a zoneinfo file must explain.
  static Result<Timezone> from_offset_name(std::string_view name);

  const std::string& name() const { return name_; }
  bool is_utc() const { return transitions_.empty() && !rule_.set && types_.front().offset_seconds == 0; }
  Local at(std::int64_t utc_seconds) const;

  enum class Gap : std::uint8_t {
    refuse,   ///< as Joda: a local time that the clock skipped is an error
    forward,  ///< as java.time: it is moved by what was skipped
  };
  /// The moment of a local time; when the clock showed it twice, the earlier one. Fault::invalid for a refused gap.
  Result<std::int64_t> to_utc(std::int64_t local_seconds, Gap gap) const;

 private:
  struct Type {
    std::int32_t offset_seconds = 0;
    std::string abbreviation;
  };
  /// One change in the year, such as "the last Sunday of March at 2".
  struct Change {
    enum class Form : std::uint8_t { month_week_day, julian, day_of_year } form = Form::month_week_day;
    int month = 0, week = 0, day = 0;
    std::int64_t seconds = 7200;
    std::int64_t local_seconds(std::int64_t year) const;
  };
  struct Rule {
    bool set = false, has_summer = false;
    Type standard, summer;
    Change to_summer, to_standard;
  };
  static Result<Rule> parse_rule(std::string_view text);
  const Type& type_at(std::int64_t utc_seconds) const;

  std::string name_;
  std::vector<std::int64_t> transitions_;
  std::vector<std::uint8_t> kinds_;  ///< of the time from each transition on
  std::vector<Type> types_;
  Rule rule_;
};

inline constexpr std::size_t kTzifBytesMax = 256 << 10;
inline constexpr std::size_t kTransitionsMax = 20'000;

/// Gives a zone by its name, or null. Must keep what it gave.
using ZoneLookup = std::function<const Timezone*(std::string_view name)>;

/// Whether `name` is one that a zoneinfo folder may be asked for: no "..", no leading "/", [A-Za-z0-9_+-/], 64 bytes.
bool is_zone_name(std::string_view name);

/// Days since the epoch of a date in the proleptic Gregorian calendar, and back.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1, day = 1;
};
CivilDate civil_from_days(std::int64_t days);
unsigned days_in_month(std::int64_t year, unsigned month);

}  // namespace enclave::pipeline::logstash
