#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::logstash {

/// What the date filter calls ISO8601: a date (2026, 2026-11, 2026-11-23, 2026-327, 2026-W48, 2026-W48-1), and behind a
/// "T" hours, minutes and seconds as far as they are given, a fraction of the last of them behind "." or ",", and "Z"
/// or an offset (+01, +0100, +01:00). A space may stand for the "T" when seconds have a fraction. Nanoseconds since the
/// epoch, years 1678 to 2261; without an offset the time is of `zone`.
std::optional<std::int64_t> parse_iso8601(std::string_view text, const Timezone& zone);

}  // namespace enclave::pipeline::logstash
