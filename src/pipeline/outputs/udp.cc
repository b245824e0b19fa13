#include <fmt/format.h>

#include <optional>

#include "io/datagram_sender.h"
#include "io/patience.h"
#include "pipeline/codec_packer.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// A datagram for each event. Nobody acknowledges: settled is what was sent.
class Udp final : public Output {
 public:
  Udp(CodecChoice codec, std::string host, std::uint16_t port)
      : codec_(std::move(codec)), host_(std::move(host)), port_(port) {}

  Result<void> open(const OutputSetup& setup) override {
    setup_.emplace(setup);
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(codec_); }

  bool put_back(const Refused& refused, Parcel& into) const override {
    const std::size_t begin = into.bytes.size();
    into.bytes += refused.event;
    into.add(begin);
    return true;
  }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    for (const auto& piece : parcel.pieces)
      TRY(send(std::string_view(parcel.bytes).substr(piece.begin, piece.end - piece.begin)));
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  Result<void> send(std::string_view datagram) {
    io::Patience patience(setup_->stopping, std::chrono::milliseconds(1), std::chrono::seconds(5));
    for (bool troubled = false;; troubled = true) {
      const auto done = attempt(datagram);
      if (done && troubled) setup_->log.resolved(setup_->id);
      if (done) return {};
      if (done.error().fault() == Fault::limit) {
        setup_->log.count("events_refused", 1);
        return setup_->dead_letters.add("udp", {done.error().text(), datagram});
      }
      setup_->log.trouble(setup_->id, done.error().text());
      if (!patience.wait()) return Error{Fault::busy, "{}: the program stops", setup_->id};
    }
  }

  Result<void> attempt(std::string_view datagram) {
    if (!sender_) {
      auto sender = TRY(io::DatagramSender::open(host_, port_));
      sender_.emplace(std::move(sender));
    }
    return sender_->send(datagram);
  }

  CodecChoice codec_;
  const std::string host_;
  const std::uint16_t port_;
  std::optional<OutputSetup> setup_;
  std::optional<io::DatagramSender> sender_;
  std::uint64_t last_ = 0;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  CodecChoice codec(options, "json", world);
  std::string host = options.text("host");
  if (host.empty()) options.mistake("host", "is wanted: host => \"NAME\"");
  if (!options.has("port")) options.mistake("port", "is wanted");
  const auto port = static_cast<std::uint16_t>(options.number("port", 1, 1, 65'535));
  (void)options.number("retry_count", 0, 0, INT32_MAX);
  (void)options.number("retry_backoff_ms", 100, 0, INT32_MAX);
  if (options.failed()) return nullptr;
  return std::make_unique<Udp>(std::move(codec), std::move(host), port);
}

}  // namespace

extern const OutputPlugin output_udp;
const OutputPlugin output_udp = {"udp", "A datagram for each event.", make};

}  // namespace enclave::pipeline
