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

void check(const pipeline::SyslogMessage& message, std::string_view text, int priority_least) {
  for (const auto part : {message.timestamp, message.host, message.program, message.pid, message.message_id,
                          message.structured_data, message.message, message.sequence})
    is_within(part, text);
  ENSURE(message.priority >= priority_least && message.priority <= 191);
  pipeline::each_parameter(message.structured_data, [&](const pipeline::SyslogParameter& one) {
    for (const auto part : {one.element, one.name, one.value}) is_within(part, message.structured_data);
    ENSURE(!one.element.empty());
  });
}

}  // namespace

// Any bytes as a syslog message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto message = pipeline::parse_syslog(text);
  check(message, text, 0);
  const auto loose = pipeline::parse_syslog(text, {.loosely = true});
  check(loose, text, -1);
  // What is syslog by the letter is so for whoever is not strict.
  ENSURE(message.form != pipeline::SyslogMessage::Form::rfc5424 || loose.form == message.form);
  pipeline::each_parameter(text, [&](const pipeline::SyslogParameter& one) { is_within(one.value, text); });
  const auto zone = pipeline::logstash::Timezone::fixed(3600);
  constexpr std::int64_t kNow = 1'795'462'496'123'456'789;
  (void)pipeline::syslog_time(message.timestamp, zone, kNow);
  (void)pipeline::syslog_time(loose.timestamp, zone, kNow);
  (void)pipeline::syslog_time(text, zone, kNow);
  return 0;
}
