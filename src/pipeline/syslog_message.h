#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline {

/// A syslog message taken apart: RFC 5424, or what goes by the name of RFC 3164, where the time may also be one of
/// ISO 8601. Views point into the message; what is missing is empty.
struct SyslogMessage {
  enum class Form : std::uint8_t {
    none,  ///< not syslog: nothing else is set
    rfc3164,
    rfc5424,
  };
  Form form = Form::none;
  int priority = 0;            ///< 0 to 191: facility * 8 + severity; -1: there is none
  int version = 0;             ///< of RFC 5424
  std::string_view timestamp;  ///< as written
  std::string_view host;
  std::string_view program;
  std::string_view pid;  ///< RFC 3164: digits; RFC 5424: PROCID, any text
  std::string_view message_id;
  std::string_view structured_data;  ///< [id name="value"]…, well formed, escapes as written
  std::string_view message;          ///< without LF, CR and NUL at its end, and without a byte order mark
  std::string_view sequence;         ///< digits before the time, as routers number their messages

  int facility() const { return priority / 8; }
  int severity() const { return priority % 8; }
};

/// What a message may look like.
struct SyslogTaking {
  bool rfc3164 = true, rfc5424 = true;
  /// As Filebeat has it. RFC 3164: no <PRI>, a number or one of `*.` before the time, a date of ISO 8601 with a space
  /// for its T, no host. RFC 5424: structured data that is not well formed, which belongs to the message then.
  bool loosely = false;
};

/// `<PRI>` stands at the beginning. Any bytes; allocates nothing; takes time linear in the length.
SyslogMessage parse_syslog(std::string_view message, const SyslogTaking& taking = {});

/// One parameter of structured data. `value` is as written, with a backslash before `"`, `\` and `]`; an element
/// without parameters has one without a name.
struct SyslogParameter {
  std::string_view element, name, value;
};
/// Those of SyslogMessage::structured_data, in order.
void each_parameter(std::string_view structured_data, const std::function<void(const SyslogParameter&)>& visit);

/// Nanoseconds since the epoch of a `timestamp`; none when it is no time. One without a year is of the year of `now_ns`
/// in `zone`; but in January a December is the last, and in December a January the next. Without an offset it is of
/// `zone`.
std::optional<std::int64_t> syslog_time(std::string_view timestamp, const logstash::Timezone& zone,
                                        std::int64_t now_ns);

}  // namespace enclave::pipeline
