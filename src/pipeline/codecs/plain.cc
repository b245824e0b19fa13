#include <optional>

#include "pipeline/codec.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// The payload is the message; an event is its message, or a text made by `format`.
class Plain final : public Codec {
 public:
  explicit Plain(std::optional<logstash::TextReference> format) : format_(std::move(format)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, Value::of(payload));
  }

  void encode(const event::Document& event, FilterRun& run, std::string& out) override {
    if (format_) return logstash::append_reference(*format_, event, run.now_ns, out);
    logstash::append_reference(message_, event, run.now_ns, out);
  }

 private:
  std::optional<logstash::TextReference> format_;
  logstash::TextReference message_ = *logstash::TextReference::compile("%{message}");
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("charset");
  (void)options.text("ecs_compatibility");
  std::optional<logstash::TextReference> format;
  if (options.has("format")) format = options.reference("format", "");
  if (options.failed()) return nullptr;
  return std::make_unique<Plain>(std::move(format));
}

}  // namespace

extern const CodecPlugin codec_plain;
const CodecPlugin codec_plain = {"plain", "The payload is the message.", make};

}  // namespace enclave::pipeline
