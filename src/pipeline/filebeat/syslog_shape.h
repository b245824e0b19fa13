#pragma once

#include <optional>
#include <string_view>

#include "event/document.h"
#include "pipeline/filebeat/options.h"
#include "pipeline/logstash/timezone.h"

/// Syslog messages under Filebeat's names.
namespace enclave::pipeline::filebeat {

/// The names of the input syslog: hostname, process.program, process.pid, event.severity, syslog.facility and so on;
/// of RFC 5424 process.name, process.entity_id, syslog.msgid, syslog.version, syslog.data. "message" becomes what was
/// logged. False, with nothing changed, when `text` is not of the format. `text` and the zone outlive the event.
bool shape_syslog_input(std::string_view text, const std::string& format, const logstash::Timezone& zone,
                        std::int64_t now_ns, event::Document& into);

/// What the parser and the processor syslog make of a message: a map with log.syslog, and with message when one was
/// logged.
struct SyslogFields {
  event::Value fields;
  std::string_view message;
  std::optional<std::int64_t> wall_ns;  ///< none: the message does not tell
};
/// None when `text` is not of the format. `text` outlives what comes back.
std::optional<SyslogFields> read_syslog_fields(std::string_view text, const std::string& format,
                                               const logstash::Timezone& zone, std::int64_t now_ns,
                                               event::Arena& arena);
/// Why, as far as it can be told: "it is neither RFC 3164 nor RFC 5424".
std::string_view why_not_syslog(const std::string& format);

}  // namespace enclave::pipeline::filebeat
