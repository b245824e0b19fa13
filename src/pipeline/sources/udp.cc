#include "pipeline/datagram_server.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Datagrams.
class Udp final : public Source {
 public:
  Udp(DatagramOptions options, const std::string& address_field, bool ecs)
      : options_(std::move(options)), address_field_(address_field), original_(ecs) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    const auto sources = std::make_shared<PeerSources>("udp", std::to_string(options_.port), setup.positions);
    return std::unique_ptr<Input>(TRY(DatagramServer::open(options_, setup.world, setup.log, sources)));
  }
  void describe(const event::Batch& /*batch*/, const event::Event& from, event::Document& into) const override {
    address_field_.fill(into, Value::of(peer_of(from.fields).address));
    original_.fill(from, into);
  }

 private:
  const DatagramOptions options_;
  const KnownField address_field_;
  const Original original_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::int64_t kDatagramMost = 65'536, kBufferMost = 1 << 30;
  const bool ecs = reads_ecs(options, world);
  DatagramOptions datagram;
  if (!options.has("port")) options.mistake("port", "the port is wanted: port => 5000");
  datagram.port = static_cast<std::uint16_t>(options.number("port", 5000, 1, 65'535));
  datagram.host = options.text("host", "0.0.0.0");
  datagram.message_bytes_max = static_cast<std::size_t>(options.number("buffer_size", kDatagramMost, 1, kBufferMost));
  datagram.message_bytes_max = std::min<std::size_t>(datagram.message_bytes_max, kDatagramMost);
  datagram.receive_buffer_bytes = static_cast<std::size_t>(options.number("receive_buffer_bytes", 0, 0, kBufferMost));
  const std::string field = options.field("source_ip_fieldname", ecs ? "[host][ip]" : "host").text();
  accept_silently(options, {"queue_size", "workers"});
  if (options.failed()) return nullptr;
  return std::make_unique<Udp>(std::move(datagram), field, ecs);
}

}  // namespace

extern const SourcePlugin source_udp;
const SourcePlugin source_udp = {"udp", "Datagrams, each a message.", "plain", make};

}  // namespace enclave::pipeline
