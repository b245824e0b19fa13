#include <map>

#include "cloud/sigv4.h"
#include "pipeline/bulk_options.h"
#include "pipeline/filebeat/choice.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/outputs_detail.h"
#include "pipeline/filebeat/written_plugin.h"

namespace enclave::pipeline::filebeat {
namespace {

std::string url_of(const ElasticsearchOutput& from, const std::string& host) {
  std::string url = host.find("://") == std::string::npos ? fmt::format("{}://{}", from.protocol, host) : host;
  const std::size_t authority = url.find("://") + 3;
  const std::size_t path = url.find('/', authority);
  std::string_view where = std::string_view(url).substr(authority, path == std::string::npos ? path : path - authority);
  const std::size_t bracket = where.rfind(']');
  const bool has_port = where.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
  if (!has_port) url.insert(path == std::string::npos ? url.size() : path, ":9200");
  if (path == std::string::npos && !from.path.empty()) url += (from.path.starts_with('/') ? "" : "/") + from.path;
  return url;
}

std::string default_index(int generation) {
  if (generation == 6) return "filebeat-%{[beat.version]}-%{+yyyy.MM.dd}";
  // Of generation 8 it is the name of a data stream.
  return generation == 7 ? "filebeat-%{[agent.version]}-%{+yyyy.MM.dd}" : "filebeat-%{[agent.version]}";
}

class Chooser final : public BulkChooser {
 public:
  Chooser(const Config& config, Diagnostics& diagnostics)
      : index_(config.index_rules,
               config.elasticsearch.index.empty() ? default_index(config.generation) : config.elasticsearch.index,
               config.output_place, config.generation > 6, diagnostics),
        pipeline_(config.pipeline_rules, config.elasticsearch.pipeline, config.output_place, config.generation > 6,
                  diagnostics),
        creates_(config.generation > 6) {
    for (const auto& input : config.inputs) {
      if (input.index.empty()) continue;
      auto format = EventFormat::compile(input.index);
      if (format) {
        of_inputs_.emplace(input.index, std::move(*format));
      } else if (input.enabled) {
        diagnostics.error(place_of(input.node, "index"), fmt::format("index: {}", format.error().text()));
      }
    }
  }

  void choose(const event::Document& event, BulkChoice& into) override {
    const std::string_view id = said(event, "_id"), action = said(event, "op_type");
    into.id = id;
    into.create = action == "create" || (action != "index" && (creates_ || !id.empty()));
    if (const std::string_view pipeline = said(event, "pipeline"); !pipeline.empty()) {
      into.pipeline = pipeline;
    } else {
      pipeline_.choose(event, into.pipeline);
    }
    choose_index(event, into.index);
    into.why_not = into.index.empty() ? "nothing of output.elasticsearch gives an index for it" : "";
  }

 private:
  void choose_index(const event::Document& event, std::string& into) const {
    const std::string_view raw = said(event, "raw_index"), alias = said(event, "index");
    if (!raw.empty()) {
      into.clear();
      const auto found = of_inputs_.find(raw);
      if (found == of_inputs_.end() || !found->second.append(event, into)) into = raw;
    } else if (!alias.empty()) {
      into = alias;
      into += '-';
      (void)date_.append(event, into);
    } else {
      index_.choose(event, into);
    }
  }

  /// What the event itself says; "" for nothing.
  static std::string_view said(const event::Document& event, std::string_view name) {
    const event::Value* const all = event.find(event::kMetadataField);
    const event::Value* const found = all != nullptr && all->is(event::Kind::map) ? all->find(name) : nullptr;
    return found != nullptr && found->is(event::Kind::text) ? found->text() : std::string_view();
  }

  const Choice index_, pipeline_;
  const bool creates_;
  const EventFormat date_ = std::move(*EventFormat::compile("%{+yyyy.MM.dd}"));
  std::map<std::string, EventFormat, std::less<>> of_inputs_;
};

std::string text_of(const Value& value) { return value.text() != nullptr ? *value.text() : to_json(value); }

/// { "name" => "value" }; `encode`: for a URL.
std::string hash_of(const Value& map, bool encode) {
  std::string out;
  const auto whole = [&](const std::string& text) { return quoted(encode ? cloud::uri_encode(text, false) : text); };
  for (const auto& [name, value] : *map.map()) out += fmt::format(" {} => {}", whole(name), whole(text_of(value)));
  return "{" + out + " }";
}

/// As the plugin of Logstash reads it; which index and pipeline is the chooser's.
std::string options_of(const Config& config, Diagnostics& diagnostics) {
  const ElasticsearchOutput& from = config.elasticsearch;
  Strings urls;
  for (const auto& host : from.hosts) urls.push_back(url_of(from, host));
  std::string options = fmt::format(
      "hosts => {} manage_template => false ecs_compatibility => disabled data_stream => false timeout => {} "
      "compression_level => {}",
      list_of(urls), std::clamp<std::int64_t>(from.timeout / 1s, 1, 3600), from.compression_level);
  if (!from.username.empty())
    options += fmt::format(" user => {} password => {}", quoted(from.username), quoted(from.password));
  if (!from.api_key.empty()) options += fmt::format(" api_key => {}", quoted(from.api_key));
  if (!from.proxy_url.empty() && !from.proxy_disable) options += fmt::format(" proxy => {}", quoted(from.proxy_url));
  for (const auto& [name, key, value] : {std::tuple{"parameters", "parameters", &from.parameters},
                                         std::tuple{"headers", "custom_headers", &from.headers}}) {
    if (value->is_null()) continue;
    if (value->map() == nullptr) {
      diagnostics.error(config.output_place, fmt::format("output.elasticsearch.{}: a map is wanted", name));
      continue;
    }
    if (!value->map()->empty()) options += fmt::format(" {} => {}", key, hash_of(*value, value == &from.parameters));
  }
  if (from.ssl.present && from.ssl.enabled) {
    check_tls(from.ssl, config.output_place, diagnostics);
    const std::string& mode = from.ssl.verification_mode;
    options += fmt::format(" ssl_enabled => true ssl_verification_mode => {}", mode == "strict" ? "full" : mode);
    if (!from.ssl.certificate_authorities.empty())
      options += fmt::format(" ssl_certificate_authorities => {}", list_of(from.ssl.certificate_authorities));
    if (!from.ssl.certificate.empty())
      options +=
          fmt::format(" ssl_certificate => {} ssl_key => {}", quoted(from.ssl.certificate), quoted(from.ssl.key));
  }
  return options;
}

}  // namespace

std::unique_ptr<Output> make_elasticsearch(const Config& config, const FilterWorld& world, Diagnostics& diagnostics) {
  const ElasticsearchOutput& from = config.elasticsearch;
  const std::size_t before = diagnostics.errors();
  WrittenPlugin plugin("output", "elasticsearch", options_of(config, diagnostics));
  auto bulk = plugin.read(config.output_place, diagnostics, [&](logstash::PluginOptions& options) {
    return read_bulk_options(options, world, BulkServer::elasticsearch);
  });
  Chooser once(config, diagnostics);
  if (diagnostics.errors() != before || !bulk) return nullptr;
  bulk->actions.chooser = [&config] {
    Diagnostics told_before;
    return std::make_unique<Chooser>(config, told_before);
  };
  if (from.bulk_max_size > 0) bulk->request_events_max = static_cast<std::size_t>(from.bulk_max_size);
  bulk->retry_first = std::max<Nanoseconds>(from.backoff_init, 20ms);
  bulk->retry_most = std::max(bulk->retry_first, from.backoff_max);
  return std::make_unique<BulkOutput>(std::move(*bulk));
}

}  // namespace enclave::pipeline::filebeat
