#include <charconv>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::int64_t kPriorityDefault = 13, kPriorityMost = 191;  // user.notice; local7.debug (RFC 5424 §6.2.1)

/// Takes the priority of a syslog line apart: facility and severity.
class SyslogPri final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source;
    logstash::FieldReference facility_code, severity_code, facility_name, severity_name;
    std::vector<std::string> facility_labels = {}, severity_labels = {};
    bool use_labels = true;
  };
  explicit SyslogPri(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    const std::int64_t priority = priority_of(event.find(settings_.source.segments()));
    if (priority < 0) {
      event.tag("_syslogpriparsefailure");
      return false;
    }
    const std::int64_t facility = priority / 8, severity = priority % 8;
    event.set(settings_.severity_code.segments(), Value::of(severity));
    event.set(settings_.facility_code.segments(), Value::of(facility));
    if (!settings_.use_labels) return true;
    label(settings_.facility_name, settings_.facility_labels, facility, event);
    label(settings_.severity_name, settings_.severity_labels, severity, event);
    return true;
  }

 private:
  static std::int64_t priority_of(const Value* value) {
    if (value == nullptr || value->is(Kind::null)) return kPriorityDefault;
    if (value->is(Kind::list)) return value->items().empty() ? kPriorityDefault : priority_of(value->items().data());
    if (value->is(Kind::integer))
      return value->integer() >= 0 && value->integer() <= kPriorityMost ? value->integer() : -1;
    if (!value->is(Kind::text)) return -1;
    std::int64_t number = 0;
    const std::string_view text = value->text();
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool fits =
        fault == std::errc() && end == text.data() + text.size() && number >= 0 && number <= kPriorityMost;
    return fits ? number : -1;
  }

  static void label(const logstash::FieldReference& field, const std::vector<std::string>& labels, std::int64_t code,
                    event::Document& event) {
    if (static_cast<std::size_t>(code) < labels.size())
      event.set(field.segments(), Value::of(event.arena().store(labels[static_cast<std::size_t>(code)])));
  }

  Settings settings_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  const bool ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  const auto field = [&options](const char* name) { return options.as_field("ecs_compatibility", name); };
  SyslogPri::Settings settings{
      .source = options.field("syslog_pri_field_name", ecs ? "[log][syslog][priority]" : "syslog_pri"),
      .facility_code = field(ecs ? "[log][syslog][facility][code]" : "syslog_facility_code"),
      .severity_code = field(ecs ? "[log][syslog][severity][code]" : "syslog_severity_code"),
      .facility_name = field(ecs ? "[log][syslog][facility][name]" : "syslog_facility"),
      .severity_name = field(ecs ? "[log][syslog][severity][name]" : "syslog_severity")};
  settings.facility_labels = options.texts("facility_labels", {"kernel",
                                                               "user-level",
                                                               "mail",
                                                               "daemon",
                                                               "security/authorization",
                                                               "syslogd",
                                                               "line printer",
                                                               "network news",
                                                               "uucp",
                                                               "clock",
                                                               "security/authorization",
                                                               "ftp",
                                                               "ntp",
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
                                                               "local7"});
  settings.severity_labels = options.texts(
      "severity_labels", {"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"});
  settings.use_labels = options.boolean("use_labels", true);
  if (options.failed()) return nullptr;
  return std::make_unique<SyslogPri>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_syslog_pri;
const FilterPlugin filter_syslog_pri = {"syslog_pri", "Takes the priority of a syslog line apart.", make};

}  // namespace enclave::pipeline
