#include "pipeline/filebeat/network_source.h"

#include <algorithm>
#include <charconv>

#include "pipeline/datagram_server.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/reader.h"
#include "pipeline/filebeat/syslog_shape.h"
#include "pipeline/filebeat/zone.h"
#include "pipeline/stream_server.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Document;
using EventValue = event::Value;

struct Settings {
  std::string protocol;  ///< tcp, udp, unix
  StreamOptions stream;
  DatagramOptions datagram;
  std::string place;          ///< port or path
  std::string syslog_format;  ///< empty: messages are not looked into
};

class NetworkSource final : public Source {
 public:
  NetworkSource(int generation, Settings settings, std::unique_ptr<Zone> zone)
      : generation_(generation), settings_(std::move(settings)), zone_(std::move(zone)) {}

  Result<std::unique_ptr<pipeline::Input>> open(const SourceSetup& setup) override {
    const std::string& kind = settings_.stream.kind;
    const auto peers = std::make_shared<PeerSources>(kind, settings_.place, setup.positions);
    if (settings_.protocol == "udp")
      return std::unique_ptr<pipeline::Input>(
          TRY(DatagramServer::open(settings_.datagram, setup.world, setup.log, peers)));
    return std::unique_ptr<pipeline::Input>(TRY(StreamServer::open(settings_.stream, setup.world, setup.log, peers)));
  }

  void make(const event::Batch& batch, const event::Event& from, Arena& arena, Codec& /*codec*/, FilterRun& run,
            std::vector<Document>& into) const override {
    Document& event = into.emplace_back(arena);
    event.set_wall_ns(batch.wall_ns);
    event.set(event::kMessageField, EventValue::of(from.raw));
    if (!settings_.syslog_format.empty())
      (void)shape_syslog_input(from.raw, settings_.syslog_format, *zone_->get(), run.now_ns, event);
    describe(batch, from, event);
  }

  void describe(const event::Batch& /*batch*/, const event::Event& from, Document& into) const override {
    Arena& arena = into.arena();
    put_key(arena, into.root(), "@metadata.truncated", EventValue::of(from.cut_bytes > 0));
    const PeerAddress peer = peer_of(from.fields);
    if (peer.address.empty()) return;
    const bool six = peer.address.find(':') != std::string_view::npos;
    const auto address = arena.store(fmt::format("{}{}{}:{}", six ? "[" : "", peer.address, six ? "]" : "", peer.port));
    put_key(arena, into.root(), generation_ == 6 ? "source" : "log.source.address", EventValue::of(address));
  }

 private:
  const int generation_;
  const Settings settings_;
  const std::unique_ptr<Zone> zone_;  ///< of syslog
};

class Maker {
 public:
  Maker(const Input& input, Diagnostics& diagnostics) : input_(input), net_(input.network), diagnostics_(diagnostics) {
    out_.protocol = input.type == "syslog" ? net_.protocol : input.type;
    prefix_ = input.type == "syslog" ? "protocol." + net_.protocol + "." : "";
    out_.stream.kind = out_.datagram.kind = input.type;
  }

  Settings make() {
    if (out_.protocol == "udp") {
      datagram();
    } else {
      stream();
    }
    if (input_.type == "syslog") out_.syslog_format = net_.syslog.format;
    return std::move(out_);
  }

 private:
  void error(std::string_view option, std::string_view text) {
    diagnostics_.error(place_of(input_.node, prefix_ + std::string(option)),
                       fmt::format("{}{}: {}", prefix_, option, text));
  }

  /// "0.0.0.0:9000", "[::1]:9000", ":9000"
  void address(std::string& host, std::uint16_t& port) {
    const std::size_t colon = net_.host.rfind(':');
    const char *const digits = net_.host.data() + (colon == std::string::npos ? 0 : colon + 1), *const end =
                                                                                                    net_.host.data() +
                                                                                                    net_.host.size();
    const auto [behind, fault] = std::from_chars(digits, end, port);
    if (colon == std::string::npos || fault != std::errc() || behind != end) {
      error("host", "an address and a port are wanted, such as 0.0.0.0:9000");
      return;
    }
    host = net_.host.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) host = "0.0.0.0";
    out_.place = std::to_string(port);
  }

  void datagram() {
    constexpr std::uint64_t kDatagramMost = 65'536;
    address(out_.datagram.host, out_.datagram.port);
    out_.datagram.message_bytes_max = std::min<std::uint64_t>(net_.max_message_size, kDatagramMost);
    out_.datagram.receive_buffer_bytes = net_.read_buffer;
  }

  void stream() {
    constexpr std::uint64_t kMessageMost = 64 << 20;
    constexpr std::int64_t kConnectionsMost = 100'000;
    StreamOptions& out = out_.stream;
    if (out_.protocol == "unix") {
      out.unix_path = out_.place = net_.path;
      out.unlink_first = true;
    } else {
      address(out.host, out.port);
    }
    out.message_bytes_max = std::clamp<std::uint64_t>(net_.max_message_size, 1, kMessageMost);
    out.idle = net_.timeout;
    if (net_.max_connections > 0)
      out.connections_max = static_cast<std::size_t>(std::min(net_.max_connections, kConnectionsMost));
    if (net_.framing == "rfc6587") out.framing = StreamFramer::Framing::lines_or_counted;
    if (net_.line_delimiter.empty()) {
      error("line_delimiter", "what ends a line is wanted, such as \"\\n\"");
    } else if (net_.framing == "delimiter") {
      out.delimiter = net_.line_delimiter;
    }
    tls(out);
  }

  std::string ssl_text(std::string_view name) const {
    const Value* found = net_.ssl.find(name);
    if (found != nullptr && found->list() != nullptr && !found->list()->empty()) found = &found->list()->front();
    return found != nullptr && found->text() != nullptr ? *found->text() : std::string();
  }

  void tls(StreamOptions& out) {
    if (net_.ssl.map() == nullptr) return;
    if (const Value* on = net_.ssl.find("enabled"); on != nullptr && on->data == Value{false}.data) return;
    io::TlsServerOptions tls;
    tls.certificate_file = ssl_text("certificate");
    tls.key_file = ssl_text("key");
    if (tls.certificate_file.empty() || tls.key_file.empty())
      error("ssl", "a server of TLS needs certificate and key, the paths of PEM files");
    if (!ssl_text("key_passphrase").empty()) error("ssl.key_passphrase", "keys with a passphrase are not offered");
    const Value* authorities = net_.ssl.find("certificate_authorities");
    if (authorities != nullptr && authorities->text() != nullptr) tls.ca_files = {*authorities->text()};
    if (authorities != nullptr && authorities->list() != nullptr)
      for (const auto& one : *authorities->list())
        if (one.text() != nullptr) tls.ca_files.push_back(*one.text());
    const std::string wanted = ssl_text("client_authentication");
    if (!wanted.empty() && wanted != "none" && wanted != "optional" && wanted != "required")
      error("ssl.client_authentication", fmt::format("{} is none of none, optional, required", wanted));
    tls.client = wanted == "optional"                                           ? io::ClientCertificate::optional
                 : wanted == "none" || (wanted.empty() && tls.ca_files.empty()) ? io::ClientCertificate::none
                                                                                : io::ClientCertificate::required;
    if (tls.client != io::ClientCertificate::none && tls.ca_files.empty())
      error("ssl.client_authentication",
            "nothing says who may sign clients' certificates; give certificate_authorities");
    out.tls = std::move(tls);
  }

  const Input& input_;
  const NetworkOptions& net_;
  Diagnostics& diagnostics_;
  std::string prefix_;
  Settings out_;
};

}  // namespace

std::unique_ptr<Source> make_network_source(const Config& config, const Input& input, const FilterWorld& world,
                                            Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  Settings settings = Maker(input, diagnostics).make();
  std::unique_ptr<Zone> zone;
  if (input.type == "syslog") {
    zone = std::make_unique<Zone>(input.network.syslog.timezone, world.files, world.zones);
    if (zone->get() == nullptr)
      diagnostics.error(place_of(input.node, "timezone"),
                        fmt::format("timezone: {} is no zone that this machine knows", input.network.syslog.timezone));
  }
  if (diagnostics.errors() != before) return nullptr;
  return std::make_unique<NetworkSource>(config.generation, std::move(settings), std::move(zone));
}

}  // namespace enclave::pipeline::filebeat
