// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/logstash/timezone.h"

using namespace enclave::pipeline::logstash;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto zone = Timezone::from_tzif({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!zone) return 0;
  for (std::int64_t year = 1678; year < 2262; year += 7) {
    const std::int64_t seconds = days_from_civil(year, 1 + static_cast<unsigned>(year % 12), 1) * 86'400 + 7200;
    const auto local = zone->at(seconds);
    const auto back = zone->to_utc(seconds + local.offset_seconds, Timezone::Gap::forward);
    ENSURE(back.has_value());
  }
  return 0;
}
