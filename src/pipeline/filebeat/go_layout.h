#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::filebeat {

/// A layout of Go's package time, "2006-01-02T15:04:05.999Z07:00"; also UNIX and UNIX_MS. Immutable.
class GoLayout {
 public:
  static constexpr std::size_t kBytesMax = 256;
  /// Fault::limit for one that is too long. Anything else is a layout: what is no field stands for itself.
  static Result<GoLayout> compile(std::string_view layout);
  /// What the whole text says, as `zone` has it when the text names none. A layout without a year is of the year 0, as
  /// in Go; then the year of `now_ns` in the zone is taken. Fault::invalid when the text does not fit.
  Result<std::int64_t> parse(std::string_view text, const logstash::Timezone& zone, std::int64_t now_ns) const;

 private:
  enum class Field : std::uint8_t {
    literal,
    year,
    short_year,
    month,
    month_padded,
    month_name,
    month_short,
    day,
    day_padded,
    day_blank,
    day_of_year,
    weekday_name,
    weekday_short,
    hour,
    hour12,
    hour12_padded,
    minute,
    minute_padded,
    second,
    second_padded,
    fraction,
    fraction_optional,
    half,
    zone_name,
    zone,
    unix_s,
    unix_ms,
  };
  struct Part {
    Field field = Field::literal;
    std::string text;  ///< of a literal, or of a zone or fraction as it is written
  };
  struct State;
  bool read(const Part& part, std::string_view& text, State& state) const;
  bool read_rest(const Part& part, std::string_view& text, State& state) const;
  std::vector<Part> parts_;
};

}  // namespace enclave::pipeline::filebeat
