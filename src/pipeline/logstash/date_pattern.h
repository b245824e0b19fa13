#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::logstash {

/// A pattern such as "dd/MMM/yyyy:HH:mm:ss Z", made once, used for each event. Names of months and days are English.
/// Weeks are those of ISO 8601. Times are nanoseconds since the epoch, so years go from 1678 to 2261.
class DatePattern {
 public:
  enum class Language : std::uint8_t {
    joda,  ///< the date filter and %{+…}
    java,  ///< java.time, %{{…}}
  };
  static constexpr std::size_t kPatternBytesMax = 256;

  /// Fault::invalid with the letter that means nothing there.
  static Result<DatePattern> compile(std::string_view pattern, Language language);

  /// Appends the time as `zone` shows it; allocates nothing when `out` has bytes_max() to spare. Joda's times have
  /// milliseconds: further digits of a fraction are 0.
  void append(std::int64_t wall_ns, const Timezone& zone, std::string& out) const;
  std::size_t bytes_max() const { return bytes_max_; }

  struct Context {
    const Timezone& zone;      ///< of texts that name none
    std::int64_t now_ns = 0;   ///< decides the century of two-digit years, as Joda does it: from 80 before to 19 after
    std::int64_t year = 2000;  ///< of patterns without one
    const ZoneLookup* zones = nullptr;  ///< for names other than UTC and the American abbreviations
  };
  struct Parsed {
    std::int64_t wall_ns = 0;
    bool has_year = false;
    bool has_zone = false;
  };
  struct Misfit {
    std::size_t at = 0;       ///< the first byte that did not fit
    bool impossible = false;  ///< all fitted, but there is no such time: the 31st of June, an hour that clocks skipped
  };
  /// What a whole text says. Allocates nothing but what `zones` does and the reason of an impossible time.
  tl::expected<Parsed, Misfit> parse(std::string_view text, const Context& context) const;

  bool has_year() const;
  bool has_zone() const;

  enum class Field : std::uint8_t {
    literal,
    era,
    century,
    year,
    year_of_era,
    short_year,
    weekyear,
    short_weekyear,
    week,
    week_of_month,
    week_in_month,
    weekday,
    weekday_text,
    day_of_year,
    month,
    month_text,
    quarter,
    quarter_text,
    day,
    half_day,
    hour_from_0_to_11,
    hour_from_1_to_12,
    hour,
    hour_from_1_to_24,
    minute,
    second,
    fraction,
    milli_of_day,
    nano_of_second,
    nano_of_day,
    zone_text,
    zone_id,
    offset,
    optional_begin,
    optional_end,
  };
  struct Part {
    Field field = Field::literal;
    std::uint8_t count = 1;    ///< of letters
    std::uint8_t printed = 1;  ///< digits at least, when printed
    std::uint8_t least = 1;    ///< digits when parsed
    std::uint8_t most = 1;
    std::uint8_t reserved = 0;  ///< digits that belong to what follows without a gap
    char letter = 0;
    std::uint16_t jump = 0;  ///< of optional_begin: where its end is
    std::string literal;
  };

 private:
  friend class DateReader;
  Language language_ = Language::joda;
  std::vector<Part> parts_;
  std::size_t bytes_max_ = 0;
};

}  // namespace enclave::pipeline::logstash
