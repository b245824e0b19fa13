#include "pipeline/beats_server.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Kind;
using event::Value;

struct Settings {
  BeatsOptions server;
  std::string codec;
  std::string codec_tag;  ///< of events whose message went through the codec; empty: none
  std::string raw_tag;    ///< of events without a message
  bool ecs = true, plain = true, add_address = true, add_hostname = false;
};

/// What Beats send, as events: the members of each JSON object, and its message through the codec.
class Beats final : public Source {
 public:
  explicit Beats(Settings settings)
      : settings_(std::move(settings)),
        address_field_(settings_.ecs ? "[@metadata][input][beats][host][ip]" : "[@metadata][ip_address]"),
        original_field_(settings_.ecs ? "[event][original]" : ""),
        beat_hostname_("[beat][hostname]"),
        agent_hostname_("[agent][hostname]") {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    static const Node kNothing;
    return BeatsServer::open(settings_.server, {kNothing, setup.world, setup.positions, setup.log});
  }

  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& codec, FilterRun& run,
            std::vector<Document>& into) const override {
    const std::size_t before = into.size();
    const auto read = from.padded ? run.json.read_padded(from.raw, arena) : run.json.read(from.raw, arena);
    if (!read || !read->is(Kind::map)) {
      Document& event = into.emplace_back(arena);
      event.set(event::kMessageField, Value::of(from.raw));
      event.tag("_jsonparsefailure");
      return describe(batch, from, event);
    }
    Value* const message = message_of(*read);
    if (message == nullptr) {
      Document& event = into.emplace_back(arena, *read);
      if (!settings_.raw_tag.empty()) event.tag(settings_.raw_tag);
    } else if (settings_.plain) {
      whole(*read, *message, into.emplace_back(arena, *read));
    } else {
      decoded(*read, *message, arena, codec, run, into);
    }
    for (std::size_t i = before; i < into.size(); ++i) {
      set_time(into[i], run);
      describe(batch, from, into[i]);
    }
  }

  bool awaited() const override { return true; }

  void describe(const event::Batch& batch, const event::Event& from, Document& into) const override {
    if (settings_.add_address) address_field_.put(into, Value::of(address_of(batch.sources[from.source].source)));
    if (!settings_.add_hostname || into.find("host") != nullptr) return;
    const Value* name = beat_hostname_.find(into);
    if (name == nullptr) name = agent_hostname_.find(into);
    if (name != nullptr) into.set("host", *name);
  }

 private:
  /// beats:<address>@<port>
  static std::string_view address_of(std::string_view source) {
    source.remove_prefix(std::min(source.find(':') + 1, source.size()));
    return source.substr(0, source.rfind('@'));
  }

  /// Of Beats, or "line", as the forwarder before them had it.
  static Value* message_of(const Value& event) {
    for (const std::string_view name : {event::kMessageField, std::string_view("line")})
      if (Value* const found = event.find(name); found != nullptr && !found->is(Kind::null)) return found;
    return nullptr;
  }

  /// A message is a text, whatever was sent.
  static std::string_view text_of(Value message, event::Arena& arena) {
    if (message.is(Kind::text)) return message.text();
    std::string shown;
    append_text(message, shown);
    return arena.store(shown);
  }

  void whole(const Value& root, Value message, Document& event) const {
    const Value text = Value::of(text_of(message, event.arena()));
    if (root.find(event::kMessageField) == nullptr) event.erase("line");
    event.set(event::kMessageField, text);
    original_field_.fill(event, text);
    if (!settings_.codec_tag.empty()) event.tag(settings_.codec_tag);
  }

  /// What the codec made of the message, and above it what else was sent.
  void decoded(const Value& root, Value message, event::Arena& arena, Codec& codec, FilterRun& run,
               std::vector<Document>& into) const {
    const std::string_view text = text_of(message, arena);
    root.erase(root.find(event::kMessageField) != nullptr ? event::kMessageField : "line");
    const std::size_t before = into.size();
    codec.decode(text, arena, run, into);
    for (std::size_t i = before; i < into.size(); ++i) {
      Document& event = into[i];
      original_field_.fill(event, Value::of(text));
      for (const event::Member& member : root.members()) {
        // Tags of the codec, such as that of a failure, stay.
        if (member.name == event::kTagsField && member.value.is(Kind::list)) {
          for (const Value& tag : member.value.items())
            if (tag.is(Kind::text)) event.tag(tag.text());
          continue;
        }
        // Each event has values of its own: a filter may change them.
        event.set(member.name, i == before ? member.value : copy_value(member.value, arena));
      }
      if (!settings_.codec_tag.empty()) event.tag(settings_.codec_tag);
    }
  }

  static void set_time(Document& event, FilterRun& run) {
    static const logstash::Timezone kUtc = logstash::Timezone::utc();
    Value* const time = event.find(event::kTimeField);
    if (time == nullptr || time->is(Kind::time)) return;
    if (time->is(Kind::text))
      if (const auto wall_ns = logstash::parse_iso8601(time->text(), kUtc)) return event.set_wall_ns(*wall_ns);
    event.set("_@timestamp", *time);
    event.set_wall_ns(run.now_ns);
    event.tag("_timestampparsefailure");
  }

  const Settings settings_;
  const KnownField address_field_, original_field_, beat_hostname_, agent_hostname_;
};

/// `enrich` of version 6.4 and later, or what it replaced.
void read_enrichment(logstash::PluginOptions& options, Settings& settings) {
  bool codec = options.boolean("include_codec_tag", true);
  if (options.has("enrich")) {
    if (options.has("include_codec_tag")) options.mistake("enrich", "write either it or include_codec_tag");
    codec = settings.add_address = false;
    for (const auto& word : options.texts("enrich")) {
      const bool all = word == "all";
      if (word != "none" && !all && word != "codec_metadata" && word != "source_metadata" &&
          word != "ssl_peer_metadata")
        options.mistake("enrich", fmt::format("\"{}\" is none of codec_metadata, source_metadata, ssl_peer_metadata, "
                                              "all, none",
                                              word));
      codec = codec || all || word == "codec_metadata";
      settings.add_address = settings.add_address || all || word == "source_metadata";
      if (all || word == "ssl_peer_metadata")
        options.warning("enrich", "what a sender's certificate says is not yet offered as fields");
    }
  }
  if (!codec) return;
  settings.codec_tag = fmt::format("beats_input_codec_{}_applied", settings.codec);
  settings.raw_tag = "beats_input_raw_event";
}

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::int64_t kDay = 86'400;
  Settings settings;
  settings.ecs = reads_ecs(options, world);
  settings.codec = codec_name(options, "plain");
  settings.plain = settings.codec == "plain";
  if (!options.has("port")) options.mistake("port", "the port to listen on is wanted: port => 5044");
  settings.server.port = static_cast<std::uint64_t>(options.number("port", 5044, 1, 65'535));
  settings.server.host = options.text("host", "0.0.0.0");
  settings.server.client_inactivity_timeout =
      std::chrono::seconds(options.number("client_inactivity_timeout", 60, 0, kDay));
  if (settings.server.client_inactivity_timeout.count() == 0)
    settings.server.client_inactivity_timeout = std::chrono::seconds(kDay);
  settings.add_hostname = options.boolean("add_hostname", false);
  read_enrichment(options, settings);
  const TlsOptions tls = read_tls_options(options, TlsOptions::Side::server);
  settings.server.ssl_enabled = tls.enabled;
  settings.server.ssl_certificate = tls.certificate_file;
  settings.server.ssl_key = tls.key_file;
  settings.server.ssl_certificate_authorities = tls.ca_files;
  settings.server.ssl_client_authentication = tls.client == io::ClientCertificate::required   ? "required"
                                              : tls.client == io::ClientCertificate::optional ? "optional"
                                                                                              : "none";
  accept_silently(options, {"executor_threads", "event_loop_threads", "ssl_handshake_timeout", "congestion_threshold",
                            "target_field_for_codec"});
  if (options.failed()) return nullptr;
  return std::make_unique<Beats>(std::move(settings));
}

}  // namespace

extern const SourcePlugin source_beats;
const SourcePlugin source_beats = {"beats", "Events from Filebeat, other Beats and Logstash.", "plain", make};

}  // namespace enclave::pipeline
