#include <algorithm>

#include "pipeline/beats_server.h"

namespace enclave::pipeline {
namespace {

constexpr std::string_view kClientWords[] = {"none", "optional", "required"};
constexpr std::uint64_t kConnectionsMost = 100'000;

constexpr Option<BeatsOptions> kBeatsOptions[] = {
    {"host", &BeatsOptions::host, "Address to listen on; 0.0.0.0 for all of this machine, :: for IPv6 too."},
    {"port", &BeatsOptions::port, "TCP port to listen on."},
    {"ssl_enabled", &BeatsOptions::ssl_enabled, "TLS, 1.2 or later. Without it anybody on the way reads and changes."},
    {"ssl_certificate", &BeatsOptions::ssl_certificate, "The certificate to show, with its chain, PEM."},
    {"ssl_key", &BeatsOptions::ssl_key, "Its private key, PEM, without a passphrase."},
    {"ssl_certificate_authorities", &BeatsOptions::ssl_certificate_authorities,
     "Files (PEM) of the authorities that sign the senders' certificates."},
    {"ssl_client_authentication", &BeatsOptions::ssl_client_authentication,
     "Whether senders must show a certificate: the only proof of who sends.", kClientWords},
    {"client_inactivity_timeout", &BeatsOptions::client_inactivity_timeout,
     "A connection that is silent for so long is closed."},
    {"max_connections", &BeatsOptions::max_connections, "At once; further ones are closed as they come."},
};

Place place_of(const Node& config, std::string_view key) {
  const Node* node = config.find(key);
  return node != nullptr ? node->place : config.place;
}

void check_tls(const BeatsOptions& options, const Node& config, Diagnostics& diagnostics) {
  const bool client = options.ssl_client_authentication != "none";
  if (!options.ssl_enabled) {
    for (const auto* key : {"ssl_certificate", "ssl_key", "ssl_certificate_authorities", "ssl_client_authentication"})
      if (config.find(key) != nullptr)
        diagnostics.error(place_of(config, key), fmt::format("{} has no effect; add ssl_enabled: true", key));
    return;
  }
  if (options.ssl_certificate.empty() || options.ssl_key.empty())
    diagnostics.error(place_of(config, "ssl_enabled"), "ssl_enabled needs ssl_certificate and ssl_key");
  if (client && options.ssl_certificate_authorities.empty())
    diagnostics.error(place_of(config, "ssl_client_authentication"),
                      "ssl_client_authentication needs ssl_certificate_authorities: who signs the senders' "
                      "certificates");
  if (!client && !options.ssl_certificate_authorities.empty())
    diagnostics.error(place_of(config, "ssl_certificate_authorities"),
                      "ssl_certificate_authorities has no effect; add ssl_client_authentication: required");
}

BeatsOptions read_options(const Node& config, Diagnostics& diagnostics) {
  BeatsOptions options;
  parse_options<BeatsOptions>(config, kBeatsOptions, options, "a beats input", diagnostics, kCommonInputKeys);
  if (options.port == 0 || options.port > 65'535)
    diagnostics.error(place_of(config, "port"), fmt::format("port: {} is not between 1 and 65535", options.port));
  if (options.max_connections == 0 || options.max_connections > kConnectionsMost)
    diagnostics.error(place_of(config, "max_connections"), fmt::format("max_connections: {} is not between 1 and {}",
                                                                       options.max_connections, kConnectionsMost));
  if (options.client_inactivity_timeout < std::chrono::seconds(1))
    diagnostics.error(place_of(config, "client_inactivity_timeout"), "client_inactivity_timeout: at least 1s");
  check_tls(options, config, diagnostics);
  return options;
}

bool is_loopback(std::string_view host) { return host.starts_with("127.") || host == "::1" || host == "localhost"; }

void check_beats(const Node& config, Diagnostics& diagnostics) {
  const auto options = read_options(config, diagnostics);
  if (!is_loopback(options.host) && options.ssl_client_authentication != "required")
    diagnostics.warning(place_of(config, "host"),
                        fmt::format("whoever reaches {} port {} can add events to the log; "
                                    "ssl_client_authentication: required lets in only whom you know",
                                    options.host, options.port));
}

void check_ports(std::span<const Node* const> configs, Diagnostics& diagnostics) {
  std::map<std::uint64_t, int> lines;
  Diagnostics said_before;
  for (const Node* config : configs) {
    const auto options = read_options(*config, said_before);
    // Sources are named by the port.
    const auto [other, is_new] = lines.emplace(options.port, config->place.line);
    if (!is_new)
      diagnostics.error(place_of(*config, "port"),
                        fmt::format("the input on line {} listens on port {} already", other->second, options.port));
  }
}

Result<std::unique_ptr<Input>> open_beats(const InputSetup& setup) {
  Diagnostics diagnostics;
  const auto options = read_options(setup.config, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  return BeatsServer::open(options, setup);
}

std::vector<OptionCard> beats_options() { return cards_of<BeatsOptions>(kBeatsOptions); }

}  // namespace

extern const InputPlugin plugin_beats;
const InputPlugin plugin_beats{
    .name = "beats",
    .help = "Receives events from Filebeat, other Beats and Logstash (Lumberjack 1 and 2).",
    .options = beats_options,
    .check = check_beats,
    .open = open_beats,
    .check_together = check_ports,
};

}  // namespace enclave::pipeline
