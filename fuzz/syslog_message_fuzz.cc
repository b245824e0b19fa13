// uses: pipeline event base
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/syslog_message.h"

namespace {

using namespace enclave;

void is_within(std::string_view part, std::string_view whole) {
  if (part.empty()) return;
  ENSURE(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

// Any bytes as a syslog message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = pipeline::parse_syslog(text);
  for (const auto part : {message.timestamp, message.host, message.program, message.pid, message.message_id,
                          message.structured_data, message.message})
    is_within(part, text);
  ENSURE(message.priority >= 0 && message.priority <= 191);
  const auto zone = pipeline::logstash::Timezone::fixed(3600);
  constexpr std::int64_t kNow = 1'795'462'496'123'456'789;
  (void)pipeline::syslog_time(message.timestamp, zone, kNow);
  (void)pipeline::syslog_time(text, zone, kNow);
  return 0;
}
