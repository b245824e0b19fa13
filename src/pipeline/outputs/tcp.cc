#include <fmt/format.h>

#include <array>
#include <optional>

#include "io/client_connection.h"
#include "io/listener.h"
#include "io/patience.h"
#include "pipeline/codec_packer.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

constexpr Nanoseconds kShort = std::chrono::milliseconds(1), kLong = std::chrono::milliseconds(50);

struct Settings {
  CodecChoice codec;
  std::string host;
  std::uint16_t port = 0;
  Nanoseconds reconnect_after = std::chrono::seconds(10);
  TlsOptions tls;
};

io::TlsClientOptions client_of(const TlsOptions& tls) {
  return {tls.ca_files, tls.certificate_file, tls.key_file,
          tls.verify == TlsOptions::Verify::full          ? io::VerifyServer::full
          : tls.verify == TlsOptions::Verify::certificate ? io::VerifyServer::certificate
                                                          : io::VerifyServer::none};
}

/// Sends to a server. Settled is what the kernel took: TCP tells nothing more.
class TcpClient final : public Output {
 public:
  explicit TcpClient(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    setup_.emplace(setup);
    if (settings_.tls.enabled) tls_ = TRY(io::TlsClient::make(client_of(settings_.tls)));
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(settings_.codec); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    std::size_t done = 0;
    for (;;) {
      TRY(connect());
      const auto sent = send(std::string_view(parcel.bytes), done);
      if (sent) break;
      connection_.reset();
      if (setup_->stopping) return Error{Fault::busy, "{}: the program stops", setup_->id};
      setup_->log.trouble(setup_->id, sent.error().text());
      troubled_ = true;
      // The new connection begins with the event that the old one did not get whole.
      std::size_t begin = 0;
      for (const auto& piece : parcel.pieces)
        if (piece.begin <= done) begin = piece.begin;
      done = begin;
    }
    if (std::exchange(troubled_, false)) setup_->log.resolved(setup_->id);
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  Result<void> connect() {
    if (connection_) return {};
    io::Patience patience(setup_->stopping, settings_.reconnect_after, settings_.reconnect_after);
    for (;;) {
      const io::ConnectOptions options{.tls = tls_.get(), .stopping = &setup_->stopping};
      const io::Endpoint endpoint{settings_.host, settings_.port};
      auto made = io::ClientConnection::open(endpoint, options);
      if (made) {
        connection_.emplace(std::move(*made));
        return {};
      }
      troubled_ = true;
      setup_->log.trouble(setup_->id, fmt::format("{}: {}", endpoint.text(), made.error().text()));
      if (!patience.wait()) return Error{Fault::busy, "{}: the program stops", setup_->id};
    }
  }

  /// From byte `done` on, which grows.
  Result<void> send(std::string_view bytes, std::size_t& done) {
    io::Patience patience(setup_->stopping, kShort, kLong);
    std::array<char, 4096> unasked;
    while (done < bytes.size() || connection_->has_unsent()) {
      // Only reading tells that the other side is gone.
      while (TRY(connection_->read(unasked)) > 0) {
      }
      TRY(connection_->flush());
      const std::size_t took = done < bytes.size() ? TRY(connection_->write(bytes.substr(done))) : 0;
      done += took;
      if (took > 0)
        patience.reset();
      else if ((done < bytes.size() || connection_->has_unsent()) && !patience.wait())
        return Error{Fault::busy, "the program stops"};
    }
    return {};
  }

  const Settings settings_;
  std::optional<OutputSetup> setup_;
  std::unique_ptr<io::TlsClient> tls_;
  std::optional<io::ClientConnection> connection_;
  bool troubled_ = false;
  std::uint64_t last_ = 0;
};

/// Listens, and sends each event to all who are connected then: to nobody, when there is nobody.
class TcpServer final : public Output {
 public:
  explicit TcpServer(Settings settings) : settings_(std::move(settings)) {}

  Result<void> open(const OutputSetup& setup) override {
    setup_.emplace(setup);
    if (settings_.tls.enabled) tls_ = TRY(io::TlsServer::make(settings_.tls.server()));
    io::ListenOptions options;
    options.host = settings_.host;
    options.port = settings_.port;
    options.tls = tls_.get();
    listener_ = TRY(io::Listener::open(options));
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(settings_.codec); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    attend();
    const std::vector<io::Listener::Id> all = clients_;
    for (const auto id : all) {
      const auto sent = send(id, parcel.bytes);
      if (sent) continue;
      if (setup_->stopping) return Error{Fault::busy, "{}: the program stops", setup_->id};
      setup_->log.trouble(setup_->id, sent.error().text());
      drop(id);
    }
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override {
    attend();
    return last_;
  }

 private:
  void attend() {
    auto ready = listener_->ready();
    clients_.insert(clients_.end(), ready.accepted.begin(), ready.accepted.end());
    if (ready.exhausted) {
      setup_->log.trouble(setup_->id, ready.exhausted->text());
      listener_->accept_again();
    }
    std::array<char, 4096> unasked;
    for (const auto id : ready.readable)
      for (;;) {
        const auto got = listener_->read(id, unasked);
        if (!got) drop(id);
        if (!got || *got == 0) break;
      }
  }

  void drop(io::Listener::Id id) {
    if (listener_->find(id) != nullptr) listener_->close(id);
    std::erase(clients_, id);
  }

  Result<void> send(io::Listener::Id id, std::string_view bytes) {
    constexpr std::size_t kPiece = 16 << 10;
    constexpr Nanoseconds kSlowest = std::chrono::seconds(30);
    io::Patience patience(setup_->stopping, kShort, kLong);
    std::int64_t moved = setup_->world.clock.boot_ns();
    while (!bytes.empty()) {
      const io::Connection* const client = listener_->find(id);
      if (client == nullptr) return Error{Fault::absent, "a client is gone"};
      if (client->has_unsent()) {
        if (setup_->world.clock.boot_ns() - moved > kSlowest.count())
          return Error{Fault::limit, "the client {} takes nothing; it is disconnected", client->address()};
        if (!patience.wait()) return Error{Fault::busy, "the program stops"};
        attend();
        continue;
      }
      const std::string_view piece = bytes.substr(0, kPiece);
      const auto written = listener_->write(id, piece);
      // Its handshake is not over.
      if (!written && settings_.tls.enabled && written.error().fault() == Fault::denied) return {};
      TRY(Result<void>(written));
      moved = setup_->world.clock.boot_ns();
      patience.reset();
      bytes.remove_prefix(piece.size());
    }
    return {};
  }

  const Settings settings_;
  std::optional<OutputSetup> setup_;
  std::unique_ptr<io::TlsServer> tls_;
  std::unique_ptr<io::Listener> listener_;
  std::vector<io::Listener::Id> clients_;
  std::uint64_t last_ = 0;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"client", "server"};
  Settings settings;
  settings.codec = CodecChoice(options, "json", world);
  const bool server = options.choice("mode", kModes, "client") == "server";
  settings.host = options.text("host");
  if (settings.host.empty()) options.mistake("host", "is wanted: host => \"NAME\"");
  if (!options.has("port")) options.mistake("port", "is wanted");
  settings.port = static_cast<std::uint16_t>(options.number("port", 1, 1, 65'535));
  settings.reconnect_after = std::chrono::seconds(options.number("reconnect_interval", 10, 1, 86'400));
  settings.tls = read_tls_options(options, server ? TlsOptions::Side::server : TlsOptions::Side::client);
  (void)options.text("workers");
  if (options.failed()) return nullptr;
  if (server) return std::make_unique<TcpServer>(std::move(settings));
  return std::make_unique<TcpClient>(std::move(settings));
}

}  // namespace

extern const OutputPlugin output_tcp;
const OutputPlugin output_tcp = {"tcp", "Sends events over a TCP connection.", make};

}  // namespace enclave::pipeline
