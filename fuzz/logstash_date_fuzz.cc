// uses: pipeline
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/logstash/date_pattern.h"
#include "pipeline/logstash/text_reference.h"

using namespace enclave;
using namespace enclave::pipeline::logstash;

// The first line is a pattern, the second one a text; what a time is printed as never exceeds its bound.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = all.substr(0, all.find('\n'));
  const std::string_view text = all.substr(std::min(pattern.size() + 1, all.size()));
  const Timezone utc = Timezone::utc(), fixed = Timezone::fixed(-12'600);
  for (const auto language : {DatePattern::Language::joda, DatePattern::Language::java}) {
    const auto compiled = DatePattern::compile(pattern, language);
    if (!compiled) continue;
    std::string out;
    const auto parsed = compiled->parse(text, {utc, 1'700'000'000'000'000'000, 2024, nullptr});
    if (!parsed) ENSURE(parsed.error().at <= text.size());
    compiled->append(parsed ? parsed->wall_ns : 1'700'000'000'123'456'789, fixed, out);
    ENSURE(out.size() <= compiled->bytes_max());
    (void)compiled->parse(out, {fixed, 1'700'000'000'000'000'000, 2024, nullptr});
  }
  (void)TextReference::compile(all);
  (void)FieldReference::parse(all);
  return 0;
}
