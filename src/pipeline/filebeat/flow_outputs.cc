#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/filebeat/outputs_detail.h"
#include "pipeline/filebeat/written_plugin.h"
#include "pipeline/lumberjack_output.h"

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::uint16_t kLogstashPort = 5044;

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

}  // namespace

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

std::string list_of(const Strings& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return "[" + out + "]";
}

std::unique_ptr<Output> make_output(const Config& config, const FilterWorld& world, Diagnostics& diagnostics) {
  if (config.output == "logstash") return make_logstash(config, diagnostics);
  if (config.output == "elasticsearch") return make_elasticsearch(config, world, diagnostics);
  if (config.output == "file") return make_file(config, diagnostics);
  return config.output == "console" ? make_console(config, diagnostics) : nullptr;
}

}  // namespace enclave::pipeline::filebeat
