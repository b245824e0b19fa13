#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"
#include "pipeline/stream_server.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Lines of TCP connections.
class Tcp final : public Source {
 public:
  Tcp(StreamOptions options, bool ecs)
      : options_(std::move(options)),
        host_(ecs ? "[@metadata][input][tcp][source][name]" : "host"),
        address_(ecs ? "[@metadata][input][tcp][source][ip]" : "[@metadata][ip_address]"),
        port_(ecs ? "[@metadata][input][tcp][source][port]" : "port"),
        proxy_host_(ecs ? "[@metadata][input][tcp][proxy][ip]" : "proxy_host"),
        proxy_port_(ecs ? "[@metadata][input][tcp][proxy][port]" : "proxy_port"),
        original_(ecs) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    const auto sources = std::make_shared<PeerSources>("tcp", std::to_string(options_.port), setup.positions);
    return std::unique_ptr<Input>(TRY(StreamServer::open(options_, setup.world, setup.log, sources)));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& from, event::Document& into) const override {
    const PeerAddress peer = peer_of(from.fields);
    host_.fill(into, Value::of(peer.address));
    address_.put(into, Value::of(peer.address));
    port_.fill(into, Value::of(static_cast<std::int64_t>(peer.port)));
    if (!peer.proxy_address.empty()) {
      proxy_host_.put(into, Value::of(peer.proxy_address));
      proxy_port_.put(into, Value::of(static_cast<std::int64_t>(peer.proxy_port)));
    }
    original_.fill(from, into);
  }

 private:
  const StreamOptions options_;
  const KnownField host_, address_, port_, proxy_host_, proxy_port_;
  const Original original_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"server", "client"};
  const bool ecs = reads_ecs(options, world);
  StreamOptions stream;
  stream.delimiter = line_delimiter(options);
  stream.connects = options.choice("mode", kModes, "server") == "client";
  if (!options.has("port")) options.mistake("port", "the port is wanted: port => 5000");
  stream.port = static_cast<std::uint16_t>(options.number("port", 5000, 1, 65'535));
  stream.host = options.text("host", "0.0.0.0");
  if (stream.connects && !options.has("host"))
    options.mistake("host", "whom to connect to is wanted: host => \"192.0.2.1\"");
  stream.proxy_protocol = options.boolean("proxy_protocol", false);
  if (options.boolean("dns_reverse_lookup_enabled", false))
    options.warning("dns_reverse_lookup_enabled",
                    "names of senders are not looked up: the address stands for the name");
  accept_silently(options, {"tcp_keep_alive"});
  const TlsOptions tls =
      read_tls_options(options, stream.connects ? TlsOptions::Side::client : TlsOptions::Side::server);
  if (tls.enabled && stream.connects)
    options.mistake("mode", "TLS is not yet offered to a client; mode => server has it");
  if (tls.enabled) stream.tls = tls.server();
  if (options.failed()) return nullptr;
  return std::make_unique<Tcp>(std::move(stream), ecs);
}

}  // namespace

extern const SourcePlugin source_tcp;
const SourcePlugin source_tcp = {"tcp", "Lines of TCP connections, plain or TLS.", "line", make};

}  // namespace enclave::pipeline
