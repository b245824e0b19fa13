#include "pipeline/codec.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// A dot for each event, to see that something moves.
class Dots final : public Codec {
 public:
  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, event::Value::of(payload));
  }
  void encode(const event::Document& /*event*/, FilterRun& /*run*/, std::string& out) override { out += '.'; }
};

std::unique_ptr<Codec> make(logstash::PluginOptions& /*options*/, const FilterWorld& /*world*/) {
  return std::make_unique<Dots>();
}

}  // namespace

extern const CodecPlugin codec_dots;
const CodecPlugin codec_dots = {"dots", "A dot for each event.", make};

}  // namespace enclave::pipeline
