#include "pipeline/filebeat/syslog_shape.h"

#include <charconv>

#include "pipeline/filebeat/event_keys.h"
#include "pipeline/syslog_message.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;

constexpr std::string_view kSeverities[] = {"Emergency", "Alert",  "Critical",      "Error",
                                            "Warning",   "Notice", "Informational", "Debug"};
constexpr std::string_view kFacilities[] = {"kernel",
                                            "user-level",
                                            "mail",
                                            "system",
                                            "security/authorization",
                                            "syslogd",
                                            "line printer",
                                            "network news",
                                            "UUCP",
                                            "clock",
                                            "security/authorization",
                                            "FTP",
                                            "NTP",
                                            "log audit",
                                            "log alert",
                                            "clock",
                                            "local0",
                                            "local1",
                                            "local2",
                                            "local3",
                                            "local4",
                                            "local5",
                                            "local6",
                                            "local7"};

SyslogMessage parse(std::string_view text, const std::string& format) {
  return parse_syslog(text, {.rfc3164 = format != "rfc5424", .rfc5424 = format != "rfc3164", .loosely = true});
}

event::Value whole(std::int64_t number) { return event::Value::of(number); }

std::optional<std::int64_t> number_in(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (fault != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// With the escapes of RFC 5424 §6.3.3 taken back.
std::string_view plain_value(std::string_view written, Arena& arena) {
  if (written.find('\\') == std::string_view::npos) return written;
  const auto room = arena.allocate_text(written.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const char next = i + 1 < written.size() ? written[i + 1] : '\0';
    if (written[i] == '\\' && (next == '"' || next == '\\' || next == ']')) ++i;
    room[bytes++] = written[i];
  }
  return {room.data(), bytes};
}

/// {"id": {"name": "value"}}; an empty map when there is none.
event::Value data_of(std::string_view structured_data, Arena& arena) {
  const event::Value data = event::Value::map(arena, 1);
  each_parameter(structured_data, [&](const SyslogParameter& one) {
    if (data.find(one.element) == nullptr) data.set(arena, one.element, event::Value::map(arena, 2));
    if (!one.name.empty())
      data.find(one.element)->set(arena, one.name, event::Value::of(plain_value(one.value, arena)));
  });
  return data;
}

/// What a message of RFC 5424 has in a place of its header, where "-" stands for nothing.
std::string_view written(std::string_view word) { return word.empty() ? "-" : word; }

void put_priority(const SyslogMessage& message, Arena& arena, const event::Value& syslog, const event::Value& about) {
  if (message.priority < 0) return;
  syslog.set(arena, "priority", whole(message.priority));
  about.set(arena, "severity", whole(message.severity()));
  syslog.set(arena, "severity_label", event::Value::of(kSeverities[message.severity()]));
  syslog.set(arena, "facility", whole(message.facility()));
  syslog.set(arena, "facility_label", event::Value::of(kFacilities[message.facility()]));
}

}  // namespace

bool shape_syslog_input(std::string_view text, const std::string& format, const logstash::Timezone& zone,
                        std::int64_t now_ns, event::Document& into) {
  const SyslogMessage message = parse(text, format);
  if (message.form == SyslogMessage::Form::none) return false;
  Arena& arena = into.arena();
  const event::Value syslog = event::Value::map(arena, 5), about = event::Value::map(arena, 1),
                     process = event::Value::map(arena, 2);
  put_priority(message, arena, syslog, about);
  if (message.form == SyslogMessage::Form::rfc5424) {
    process.set(arena, "name", event::Value::of(written(message.program)));
    process.set(arena, "entity_id", event::Value::of(written(message.pid)));
    syslog.set(arena, "msgid", event::Value::of(written(message.message_id)));
    syslog.set(arena, "version", whole(message.version));
    const event::Value data = data_of(message.structured_data, arena);
    if (!data.members().empty()) syslog.set(arena, "data", data);
    into.set("hostname", event::Value::of(written(message.host)));
  } else {
    if (const auto pid = number_in(message.pid); pid && *pid > 0) process.set(arena, "pid", whole(*pid));
    if (!message.program.empty()) process.set(arena, "program", event::Value::of(message.program));
    if (!message.host.empty()) into.set("hostname", event::Value::of(message.host));
  }
  into.set("syslog", syslog);
  if (const auto sequence = number_in(message.sequence)) about.set(arena, "sequence", whole(*sequence));
  into.set("event", about);
  if (!process.members().empty()) into.set("process", process);
  into.set(event::kMessageField, event::Value::of(message.message));
  if (const auto wall_ns = syslog_time(message.timestamp, zone, now_ns)) into.set_wall_ns(*wall_ns);
  return true;
}

std::optional<SyslogFields> read_syslog_fields(std::string_view text, const std::string& format,
                                               const logstash::Timezone& zone, std::int64_t now_ns, Arena& arena) {
  const SyslogMessage message = parse(text, format);
  if (message.form == SyslogMessage::Form::none) return std::nullopt;
  const event::Value syslog = event::Value::map(arena, 8);
  const auto coded = [&](int code, std::string_view name) {
    const event::Value out = event::Value::map(arena, 2);
    out.set(arena, "code", whole(code));
    out.set(arena, "name", event::Value::of(name));
    return out;
  };
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) syslog.set(arena, name, event::Value::of(value));
  };
  if (message.priority >= 0) {
    syslog.set(arena, "priority", whole(message.priority));
    syslog.set(arena, "facility", coded(message.facility(), kFacilities[message.facility()]));
    syslog.set(arena, "severity", coded(message.severity(), kSeverities[message.severity()]));
  }
  put("appname", message.program);
  if (!message.program.empty()) put("procid", message.pid);
  put("hostname", message.host == "-" ? std::string_view() : message.host);
  put("msgid", message.message_id);
  if (message.version > 0) put("version", arena.store(std::to_string(message.version)));
  const event::Value data = data_of(message.structured_data, arena);
  if (!data.members().empty()) syslog.set(arena, "structured_data", data);
  SyslogFields out{event::Value::map(arena, 2), message.message, syslog_time(message.timestamp, zone, now_ns)};
  put_key(arena, out.fields, "log.syslog", syslog);
  if (!message.message.empty()) out.fields.set(arena, event::kMessageField, event::Value::of(message.message));
  return out;
}

std::string_view why_not_syslog(const std::string& format) {
  if (format == "rfc3164") return "it is not of RFC 3164";
  return format == "rfc5424" ? "it is not of RFC 5424" : "it is neither of RFC 3164 nor of RFC 5424";
}

}  // namespace enclave::pipeline::filebeat
