#include "pipeline/logstash/plugin_options.h"
#include "pipeline/output.h"

namespace enclave::pipeline {
namespace {

class NullPacker final : public Packer {
 public:
  void pack(const event::Batch& /*batch*/, std::span<const event::Document> events, FilterRun& /*run*/,
            Parcel& into) override {
    into.events += events.size();
  }
  bool pack_alike(const AlikeEvents& alike, FilterRun& /*run*/, Parcel& into) override {
    into.events += alike.events.size();
    return true;
  }
};

/// Takes all events and does nothing with them.
class Null final : public Output {
 public:
  Result<void> open(const OutputSetup& /*setup*/) override { return {}; }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<NullPacker>(); }
  Result<void> deliver(Parcel& /*parcel*/, std::uint64_t ticket) override {
    last_ = ticket;
    return {};
  }
  Result<std::uint64_t> settle(bool /*wait*/) override { return last_; }

 private:
  std::uint64_t last_ = 0;
};

std::unique_ptr<Output> make(logstash::PluginOptions& options, const FilterWorld& world) {
  const CodecChoice codec(options, "plain", world);
  if (options.failed()) return nullptr;
  return std::make_unique<Null>();
}

}  // namespace

extern const OutputPlugin output_null;
const OutputPlugin output_null = {"null", "Takes all events and does nothing with them.", make};

}  // namespace enclave::pipeline
