#include "io/standard_output.h"
#include "pipeline/codec_packer.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// To whoever started the program.
class Stdout final : public Output {
 public:
  explicit Stdout(CodecChoice codec) : codec_(std::move(codec)) {}

  Result<void> open(const OutputSetup& setup) override {
    stopping_ = &setup.stopping;
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<CodecPacker>(codec_); }
  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    TRY(io::write_standard_output(parcel.bytes, *stopping_));
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  CodecChoice codec_;
  const std::atomic<bool>* stopping_ = nullptr;
  std::uint64_t last_ = 0;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  CodecChoice codec(options, "rubydebug", world);
  if (options.failed()) return nullptr;
  return std::make_unique<Stdout>(std::move(codec));
}

}  // namespace

extern const OutputPlugin output_stdout;
const OutputPlugin output_stdout = {"stdout", "Prints events.", make};

}  // namespace enclave::pipeline
