#include "io/standard_output.h"
#include "pipeline/codec_packer.h"
#include "pipeline/filebeat/event_codec.h"
#include "pipeline/filebeat/outputs_detail.h"

namespace enclave::pipeline::filebeat {
namespace {

class Console final : public Output {
 public:
  explicit Console(std::function<std::unique_ptr<Codec>()> codec) : codec_(std::move(codec)) {}

  Result<void> open(const OutputSetup& setup) override {
    stopping_ = &setup.stopping;
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(codec_()); }
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    TRY(io::write_standard_output(parcel.bytes, *stopping_));
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  const std::function<std::unique_ptr<Codec>()> codec_;
  const std::atomic<bool>* stopping_ = nullptr;
  std::uint64_t last_ = 0;
};

}  // namespace

std::unique_ptr<Output> make_console(const Config& config, Diagnostics& diagnostics) {
  if (config.console.pretty)
    diagnostics.warning(config.output_place, "output.console: events are written as JSON, one on each line");
  auto codec = event_codec(config.console.codec, "output.console", config.output_place, diagnostics);
  if (!codec) return nullptr;
  return std::make_unique<Console>(std::move(codec));
}

}  // namespace enclave::pipeline::filebeat
