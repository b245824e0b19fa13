#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/filebeat/reader.h"
#include "pipeline/filebeat/written_plugin.h"
#include "pipeline/lumberjack_output.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::uint16_t kLogstashPort = 5044;

/// An output of Logstash's, with the text that it was made from.
class Written final : public Output {
 public:
  Written(std::unique_ptr<WrittenPlugin> plugin, std::unique_ptr<Output> output)
      : plugin_(std::move(plugin)), output_(std::move(output)) {}
  Result<void> open(const OutputSetup& setup) override { return output_->open(setup); }
  std::unique_ptr<Packer> packer() const override { return output_->packer(); }
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override { return output_->deliver(parcel, ticket); }
  Result<std::uint64_t> settle(bool wait) override { return output_->settle(wait); }

 private:
  std::unique_ptr<WrittenPlugin> plugin_;
  std::unique_ptr<Output> output_;
};

std::unique_ptr<Output> write(const std::string& name, const std::string& options, const Config& config,
                              const FilterWorld& world, Diagnostics& diagnostics) {
  auto plugin = std::make_unique<WrittenPlugin>("output", name, options);
  auto output = plugin->make(output_plugins(), world, config.output_place, diagnostics);
  if (output == nullptr) return nullptr;
  return std::make_unique<Written>(std::move(plugin), std::move(output));
}

void check_tls(const Tls& tls, const Place& place, Diagnostics& diagnostics) {
  if (!tls.key_passphrase.empty())
    diagnostics.error(place, "ssl.key_passphrase: keys with a passphrase are not offered; give one without");
  if (!tls.ca_trusted_fingerprint.empty() || !tls.ca_sha256.empty())
    diagnostics.error(place,
                      "ssl.ca_trusted_fingerprint and ssl.ca_sha256 are not offered; give the authority's certificate "
                      "in ssl.certificate_authorities");
  if (!tls.cipher_suites.empty() || !tls.supported_protocols.empty() || !tls.curve_types.empty())
    diagnostics.warning(place, "ssl: ciphers, curves and versions are those of OpenSSL, TLS 1.2 and later");
  if (tls.verification_mode == "none")
    diagnostics.warning(place, "ssl.verification_mode: none: whoever is on the way can read and change everything");
}

io::VerifyServer verify_of(const Tls& tls) {
  if (tls.verification_mode == "none") return io::VerifyServer::none;
  return tls.verification_mode == "certificate" ? io::VerifyServer::certificate : io::VerifyServer::full;
}

std::unique_ptr<Output> make_logstash(const Config& config, Diagnostics& diagnostics) {
  const LogstashOutput& from = config.logstash;
  LumberjackOptions out;
  for (const auto& text : from.hosts) {
    if (const auto host = io::parse_endpoint(text, kLogstashPort)) {
      out.hosts.push_back(*host);
    } else {
      diagnostics.error(config.output_place, fmt::format("output.logstash.hosts: {}", host.error().text()));
    }
  }
  if (!from.proxy_url.empty())
    diagnostics.error(config.output_place,
                      "output.logstash.proxy_url: a proxy is not offered; remove it, or make a "
                      "tunnel and name its end in hosts");
  out.load_balance = from.loadbalance;
  out.workers = static_cast<std::uint64_t>(from.workers);
  // Zero and less are no bound in Filebeat; receivers have one.
  out.window_events = from.bulk_max_size <= 0 ? 2048 : static_cast<std::uint64_t>(from.bulk_max_size);
  out.compression_level = static_cast<int>(from.compression_level);
  out.pipelining = static_cast<std::uint64_t>(std::max<std::int64_t>(from.pipelining, 0));
  out.ttl = from.ttl;
  out.timeout = from.timeout;
  out.slow_start = from.slow_start;
  out.backoff_init = std::max<Nanoseconds>(from.backoff_init, 1ms);
  out.backoff_max = std::max(from.backoff_max, out.backoff_init);
  if (from.ssl.present && from.ssl.enabled) {
    check_tls(from.ssl, config.output_place, diagnostics);
    out.tls =
        io::TlsClientOptions{from.ssl.certificate_authorities, from.ssl.certificate, from.ssl.key, verify_of(from.ssl)};
  }
  if (out.hosts.empty()) return nullptr;
  return make_lumberjack_output(std::move(out));
}

std::string list_of(const Strings& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return "[" + out + "]";
}

/// "%{[agent.version]}" as Logstash writes it, "%{[agent][version]}".
std::string reference_of(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const char c : text) {
    if (c == '[') inside = true;
    if (c == ']') inside = false;
    if (inside && c == '.') {
      out += "][";
    } else {
      out += c;
    }
  }
  return out;
}

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

std::unique_ptr<Output> make_elasticsearch(const Config& config, const FilterWorld& world, Diagnostics& diagnostics) {
  const ElasticsearchOutput& from = config.elasticsearch;
  Strings urls;
  for (const auto& host : from.hosts) urls.push_back(url_of(from, host));
  const std::string version(config.generation == 6 ? "%{[beat][version]}" : "%{[agent][version]}");
  const std::string index =
      from.index.empty() ? fmt::format("filebeat-{}-%{{+yyyy.MM.dd}}", version) : reference_of(from.index);
  std::string options =
      fmt::format("hosts => {} index => {} manage_template => false ecs_compatibility => disabled data_stream => false",
                  list_of(urls), quoted(index));
  if (!from.username.empty())
    options += fmt::format(" user => {} password => {}", quoted(from.username), quoted(from.password));
  if (!from.api_key.empty()) options += fmt::format(" api_key => {}", quoted(from.api_key));
  if (!from.pipeline.empty()) options += fmt::format(" pipeline => {}", quoted(reference_of(from.pipeline)));
  const auto refuse = [&](bool set, std::string_view name) {
    if (set) diagnostics.error(config.output_place, fmt::format("output.elasticsearch.{} is not yet offered", name));
  };
  refuse(!from.indices.is_null(), "indices");
  refuse(!from.pipelines.is_null(), "pipelines");
  refuse(!from.parameters.is_null(), "parameters");
  refuse(!from.headers.is_null(), "headers");
  refuse(!from.proxy_url.empty(), "proxy_url");
  if (from.ssl.present && from.ssl.enabled) {
    check_tls(from.ssl, config.output_place, diagnostics);
    options += fmt::format(" ssl_enabled => true ssl_verification_mode => {}",
                           from.ssl.verification_mode == "none" ? "none" : "full");
    if (!from.ssl.certificate_authorities.empty())
      options += fmt::format(" ssl_certificate_authorities => {}", list_of(from.ssl.certificate_authorities));
    if (!from.ssl.certificate.empty())
      options +=
          fmt::format(" ssl_certificate => {} ssl_key => {}", quoted(from.ssl.certificate), quoted(from.ssl.key));
  }
  return write("elasticsearch", options, config, world, diagnostics);
}

std::unique_ptr<Output> make_file(const Config& config, const FilterWorld& world, Diagnostics& diagnostics) {
  const FileOutput& from = config.file;
  const std::string name = from.path + "/" + from.filename + (config.generation >= 8 ? "-%{+yyyyMMdd}.ndjson" : "");
  if (!from.codec.is_null()) diagnostics.warning(config.output_place, "output.file.codec: events are written as JSON");
  diagnostics.warning(config.output_place,
                      "output.file: the file is not rotated by its size; logrotate(8) can do that");
  return write(
      "file", fmt::format("path => {} codec => json_lines file_mode => \"0{:o}\"", quoted(name), from.permissions.bits),
      config, world, diagnostics);
}

}  // namespace

std::unique_ptr<Output> make_output(const Config& config, const FilterWorld& world, Diagnostics& diagnostics) {
  if (config.output == "logstash") return make_logstash(config, diagnostics);
  if (config.output == "elasticsearch") return make_elasticsearch(config, world, diagnostics);
  if (config.output == "file") return make_file(config, world, diagnostics);
  if (config.output != "console") return nullptr;
  if (!config.console.codec.is_null() || config.console.pretty)
    diagnostics.warning(config.output_place, "output.console: events are written as JSON, one on each line");
  return write("stdout", "codec => json_lines", config, world, diagnostics);
}

}  // namespace enclave::pipeline::filebeat
