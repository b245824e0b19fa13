#include <optional>

#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/event_line.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// The payload is the message; an event is a text made by `format`, or time, host and message.
class Plain final : public Codec {
 public:
  Plain(std::optional<logstash::TextReference> format, Charset charset)
      : format_(std::move(format)), charset_(std::move(charset)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, Value::of(charset_.text(payload, arena)));
  }

  void encode(const event::Document& event, FilterRun& run, std::string& out) override {
    if (format_) return logstash::append_reference(*format_, event, run.now_ns, out);
    append_event_line(event, out);
  }
  bool keeps_payload() const override { return charset_.keeps(); }
  Written written() const override { return format_ ? Written::as_is : Written::otherwise; }

 private:
  std::optional<logstash::TextReference> format_;
  Charset charset_;
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("ecs_compatibility");
  Charset charset = Charset::from(options);
  std::optional<logstash::TextReference> format = options.reference("format", "");
  if (!options.has("format")) format.reset();
  if (options.failed()) return nullptr;
  return std::make_unique<Plain>(std::move(format), std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_plain;
const CodecPlugin codec_plain = {"plain", "The payload is the message.", make};

}  // namespace enclave::pipeline
