#include "pipeline/codec.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/lumberjack_output.h"
#include "pipeline/tls_options.h"

namespace enclave::pipeline {
namespace {

io::TlsClientOptions client_of(const TlsOptions& tls) {
  return {tls.ca_files, tls.certificate_file, tls.key_file,
          tls.verify == TlsOptions::Verify::full          ? io::VerifyServer::full
          : tls.verify == TlsOptions::Verify::certificate ? io::VerifyServer::certificate
                                                          : io::VerifyServer::none};
}

/// Owns what the options of the output point to.
class WithCodec final : public Output {
 public:
  WithCodec(LumberjackOptions options, CodecChoice codec) : codec_(std::move(codec)) {
    if (codec_) options.codec = &codec_;
    output_ = make_lumberjack_output(std::move(options));
  }
  Result<void> open(const OutputSetup& setup) override { return output_->open(setup); }
  std::unique_ptr<Packer> packer() const override { return output_->packer(); }
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override { return output_->deliver(parcel, ticket); }
  Result<std::uint64_t> settle(bool wait) override { return output_->settle(wait); }

 private:
  CodecChoice codec_;
  std::unique_ptr<Output> output_;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  LumberjackOptions out;
  const auto port = static_cast<std::uint16_t>(options.number("port", 5044, 1, 65'535));
  const auto hosts = options.texts("hosts");
  if (hosts.empty()) options.mistake("hosts", "lumberjack needs hosts => [\"NAME\"]");
  for (const auto& text : hosts) {
    const auto host = io::parse_endpoint(text, port);
    if (host) {
      out.hosts.push_back(*host);
    } else {
      options.mistake("hosts", host.error().text());
    }
  }
  out.window_events = static_cast<std::uint64_t>(options.number("flush_size", 1024, 1, 10'000));
  options.ignored("idle_flush_time", "");
  out.load_balance = options.boolean("loadbalance", false);
  out.compression_level = static_cast<int>(options.number("compression_level", 3, 0, 9));
  out.with_metadata = false;
  // The original speaks TLS and nothing else.
  const auto tls = read_tls_options(options, TlsOptions::Side::client, {.enabled = true});
  if (tls.enabled) out.tls = client_of(tls);
  CodecChoice codec;
  if (options.has("codec")) {
    codec = CodecChoice(options, "plain", world);
    out.payload_field = "line";
  }
  if (options.failed()) return nullptr;
  return std::make_unique<WithCodec>(std::move(out), std::move(codec));
}

}  // namespace

extern const OutputPlugin output_lumberjack;
const OutputPlugin output_lumberjack = {"lumberjack", "Sends to Logstash, or to whoever receives from Beats.", make};

}  // namespace enclave::pipeline
