#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/json_events.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// The payload is a JSON object or a list of them. What is written has no line end.
class Json final : public Codec {
 public:
  Json(JsonEvents events, Charset charset) : events_(std::move(events)), charset_(std::move(charset)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& run,
              std::vector<event::Document>& into) override {
    events_.decode(charset_.text(payload, arena), arena, run, into);
  }
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override { append_json(event, out); }
  Written written() const override { return Written::json; }

 private:
  JsonEvents events_;
  Charset charset_;
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("ecs_compatibility");
  Charset charset = Charset::from(options);
  auto target = options.field_if_set("target");
  if (options.failed()) return nullptr;
  return std::make_unique<Json>(JsonEvents(std::move(target)), std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_json;
const CodecPlugin codec_json = {"json", "A JSON object, or a list of them.", make};

}  // namespace enclave::pipeline
