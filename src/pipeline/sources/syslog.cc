#include <charconv>
#include <mutex>

#include "pipeline/datagram_server.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"
#include "pipeline/stream_server.h"
#include "pipeline/syslog_message.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Kind;
using event::Value;
using logstash::Timezone;

constexpr std::int64_t kPriorityDefault = 13;  // user.notice: of what cannot be read (RFC 3164 §4.3.3)
constexpr std::string_view kFailureTag = "_grokparsefailure_sysloginput";

/// A pattern of the user's own instead of the parser: the grok filter, made once for each thread that asks.
class OwnPattern {
 public:
  OwnPattern(const std::string& pattern, const std::string& field, bool ecs, const FilterWorld& world) : world_(world) {
    const char quote = pattern.find('\'') == std::string::npos ? '\'' : '"';
    const std::string text = fmt::format(
        "filter {{ grok {{ match => {{ \"{0}\" => {1}{2}{1} }} overwrite => [\"{0}\"] tag_on_failure => [\"{3}\"] "
        "ecs_compatibility => {4} }} }}\n",
        field, quote, pattern, kFailureTag, ecs ? "v8" : "disabled");
    Diagnostics diagnostics;
    parse_config(text, "grok_pattern", {}, configuration_, diagnostics);
    if (!configuration_.filters.empty()) plugin_ = std::get_if<logstash::Plugin>(&configuration_.filters[0]);
    auto first = plugin_ == nullptr ? nullptr : make(diagnostics);
    if (first == nullptr) return;
    spare_.push_back(std::move(first));
  }
  bool good() const { return !spare_.empty(); }

  bool apply(Document& event, FilterRun& run) {
    auto filter = take();
    const bool matched = filter->apply(event, run);
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(filter));
    return matched;
  }

 private:
  std::unique_ptr<Filter> make(Diagnostics& diagnostics) const {
    for (const FilterPlugin* card : filter_plugins()) {
      if (card->name != "grok") continue;
      logstash::PluginOptions options(configuration_, *plugin_, diagnostics);
      return card->make(options, world_);
    }
    return nullptr;
  }
  std::unique_ptr<Filter> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) {
      Diagnostics none;  // it was made once without a mistake
      return make(none);
    }
    auto filter = std::move(spare_.back());
    spare_.pop_back();
    return filter;
  }

  const FilterWorld& world_;
  logstash::Configuration configuration_;
  const logstash::Plugin* plugin_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Filter>> spare_;
};

struct Settings {
  StreamOptions stream;
  DatagramOptions datagram;
  std::string field = "message";  ///< that is taken apart
  std::unique_ptr<OwnPattern> pattern;
  const Timezone* zone = nullptr;
  std::vector<std::string> facility_labels, severity_labels;
  bool use_labels = true, ecs = true;
};

class Syslog final : public Source {
 public:
  explicit Syslog(Settings settings)
      : settings_(std::move(settings)),
        field_(settings_.field.starts_with('[') ? settings_.field : "[" + settings_.field + "]"),
        host_field_(settings_.ecs ? "[host][ip]" : "host"),
        priority_(name("[log][syslog][priority]", "priority")),
        facility_(name("[log][syslog][facility][code]", "facility")),
        severity_(name("[log][syslog][severity][code]", "severity")),
        facility_name_(name("[log][syslog][facility][name]", "facility_label")),
        severity_name_(name("[log][syslog][severity][name]", "severity_label")),
        logsource_(name("[host][hostname]", "logsource")),
        program_(name("[process][name]", "program")),
        pid_(name("[process][pid]", "pid")),
        message_id_(name("[event][code]", "msgid")),
        structured_data_(name("[system][syslog][structured_data]", "structured_data")),
        version_(name("[system][syslog][version]", "version")),
        timestamp_("timestamp"),
        service_(settings_.ecs ? "[service][type]" : ""),
        original_(settings_.ecs) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    const auto sources =
        std::make_shared<PeerSources>("syslog", std::to_string(settings_.stream.port), setup.positions);
    std::unique_ptr<Input> tcp = TRY(StreamServer::open(settings_.stream, setup.world, setup.log, sources));
    // Datagrams are not encrypted: where TLS is asked for, nobody may send without it.
    if (settings_.stream.tls) return tcp;
    std::unique_ptr<Input> udp = TRY(DatagramServer::open(settings_.datagram, setup.world, setup.log, sources));
    return std::unique_ptr<Input>(std::make_unique<PairedInput>(std::move(tcp), std::move(udp)));
  }

  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& codec, FilterRun& run,
            std::vector<Document>& into) const override {
    const std::size_t before = into.size();
    codec.decode(from.raw, arena, run, into);
    for (std::size_t i = before; i < into.size(); ++i) {
      describe(batch, from, into[i]);
      read(into[i], run);
    }
  }

  void describe(const event::Batch& /*batch*/, const event::Event& from, Document& into) const override {
    const PeerAddress peer = peer_of(from.fields);
    host_field_.fill(into, Value::of(peer.address));
    original_.fill(from, into);
  }

 private:
  const char* name(const char* ecs, const char* legacy) const { return settings_.ecs ? ecs : legacy; }

  void read(Document& event, FilterRun& run) const {
    if (settings_.pattern) return read_by_pattern(event, run);
    const Value* const text = field_.find(event);
    const SyslogMessage message =
        text != nullptr && text->is(Kind::text) ? parse_syslog(text->text()) : SyslogMessage{};
    if (message.form == SyslogMessage::Form::none) return fail(event);
    put_priority(event, message.priority);
    put_text(logsource_, event, message.host);
    put_text(program_, event, message.program);
    put_pid(event, message);
    put_text(message_id_, event, message.message_id);
    put_text(structured_data_, event, message.structured_data);
    if (message.version > 0) version_.put(event, Value::of(static_cast<std::int64_t>(message.version)));
    field_.put(event, Value::of(message.message));
    service_.fill(event, Value::of(std::string_view("system")));
    if (!message.timestamp.empty()) put_time(event, message.timestamp, run);
  }

  void put_text(const KnownField& field, Document& event, std::string_view text) const {
    if (!text.empty()) field.put(event, Value::of(text));
  }

  void put_pid(Document& event, const SyslogMessage& message) const {
    std::int64_t number = 0;
    const auto [end, fault] = std::from_chars(message.pid.data(), message.pid.data() + message.pid.size(), number);
    const bool whole = fault == std::errc() && end == message.pid.data() + message.pid.size();
    if (settings_.ecs && whole) return pid_.put(event, Value::of(number));
    put_text(pid_, event, message.pid);
  }

  void put_time(Document& event, std::string_view timestamp, FilterRun& run) const {
    if (!settings_.ecs) timestamp_.put(event, Value::of(timestamp));
    const auto wall_ns = syslog_time(timestamp, *settings_.zone, run.now_ns);
    if (wall_ns) return event.set_wall_ns(*wall_ns);
    event.tag("_dateparsefailure");
    timestamp_.put(event, Value::of(timestamp));
  }

  void put_priority(Document& event, std::int64_t priority) const {
    const std::int64_t facility = priority / 8, severity = priority % 8;
    priority_.put(event, Value::of(priority));
    facility_.put(event, Value::of(facility));
    severity_.put(event, Value::of(severity));
    if (!settings_.use_labels) return;
    put_label(facility_name_, settings_.facility_labels, facility, event);
    put_label(severity_name_, settings_.severity_labels, severity, event);
  }

  static void put_label(const KnownField& field, const std::vector<std::string>& labels, std::int64_t code,
                        Document& event) {
    if (static_cast<std::size_t>(code) < labels.size())
      field.put(event, Value::of(labels[static_cast<std::size_t>(code)]));
  }

  void fail(Document& event) const {
    event.tag(kFailureTag);
    put_priority(event, kPriorityDefault);
  }

  void read_by_pattern(Document& event, FilterRun& run) const {
    if (!settings_.pattern->apply(event, run)) return put_priority(event, kPriorityDefault);
    std::int64_t priority = 0;  // as the original: a pattern without one means kern.emerg
    if (const Value* const found = priority_.find(event)) {
      if (found->is(Kind::integer)) priority = found->integer();
      if (found->is(Kind::text))
        std::from_chars(found->text().data(), found->text().data() + found->text().size(), priority);
    }
    put_priority(event, std::clamp<std::int64_t>(priority, 0, 1023));
    service_.fill(event, Value::of(std::string_view("system")));
    const Value* time = timestamp_.find(event);
    if (time == nullptr) time = event.find("timestamp8601");
    if (time == nullptr || !time->is(Kind::text)) return;
    const std::string_view text = time->text();
    if (settings_.ecs) event.erase("timestamp");
    put_time(event, text, run);
  }

  const Settings settings_;
  const KnownField field_, host_field_, priority_, facility_, severity_, facility_name_, severity_name_, logsource_,
      program_, pid_, message_id_, structured_data_, version_, timestamp_, service_;
  const Original original_;
};

void read_labels(logstash::PluginOptions& options, Settings& settings) {
  settings.use_labels = options.boolean("use_labels", true);
  settings.facility_labels = options.texts("facility_labels", {"kernel",
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
                                                               "local7"});
  settings.severity_labels = options.texts(
      "severity_labels", {"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"});
}

void read_zone(logstash::PluginOptions& options, const FilterWorld& world, Settings& settings) {
  static const Timezone kUtc = Timezone::utc();
  const auto name = options.text_if_set("timezone");
  settings.zone = world.zones(name ? *name : "localtime");
  if (settings.zone == nullptr && name)
    options.mistake("timezone", fmt::format("there is no time zone \"{}\"; write a name such as Europe/Berlin", *name));
  if (settings.zone == nullptr) settings.zone = &kUtc;
  const std::string locale = options.text("locale", "en");
  if (!locale.starts_with("en") && !locale.starts_with('C') && locale != "POSIX")
    options.warning("locale", "names of months are read in English");
}

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  Settings settings;
  settings.ecs = reads_ecs(options, world);
  settings.stream.kind = settings.datagram.kind = "syslog";
  settings.stream.host = settings.datagram.host = options.text("host", "0.0.0.0");
  settings.stream.port = settings.datagram.port = static_cast<std::uint16_t>(options.number("port", 514, 1, 65'535));
  settings.stream.framing = StreamFramer::Framing::lines_or_counted;
  settings.stream.proxy_protocol = options.boolean("proxy_protocol", false);
  settings.field = options.field("syslog_field", "message").text();
  read_labels(options, settings);
  read_zone(options, world, settings);
  const TlsOptions tls = read_tls_options(options, TlsOptions::Side::server);
  if (tls.enabled) settings.stream.tls = tls.server();
  if (const auto pattern = options.text_if_set("grok_pattern")) {
    settings.pattern = std::make_unique<OwnPattern>(*pattern, settings.field, settings.ecs, world);
    if (!settings.pattern->good()) options.mistake("grok_pattern", "this is not a pattern that grok can read");
  }
  if (options.failed()) return nullptr;
  return std::make_unique<Syslog>(std::move(settings));
}

}  // namespace

extern const SourcePlugin source_syslog;
const SourcePlugin source_syslog = {"syslog", "Syslog messages over TCP and UDP, RFC 3164 and 5424.", "plain", make};

}  // namespace enclave::pipeline
