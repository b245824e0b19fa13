#include <algorithm>

#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/json_events.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// One JSON object (or a list of them) on each line.
class JsonLines final : public Codec {
 public:
  JsonLines(JsonEvents events, std::string delimiter, Charset charset)
      : events_(std::move(events)), delimiter_(std::move(delimiter)), charset_(std::move(charset)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& run,
              std::vector<event::Document>& into) override {
    payload = charset_.text(payload, arena);
    while (!payload.empty()) {
      const std::size_t end = std::min(payload.find(delimiter_), payload.size());
      events_.decode(payload.substr(0, end), arena, run, into);
      payload.remove_prefix(std::min(end + delimiter_.size(), payload.size()));
    }
  }

  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    append_json(event, out);
    out += delimiter_;
  }
  Written written() const override { return Written::json; }

 private:
  JsonEvents events_;
  std::string delimiter_;
  Charset charset_;
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("ecs_compatibility");
  (void)options.number("decode_size_limit_bytes", 0, 0, INT64_MAX);
  Charset charset = Charset::from(options);
  auto target = options.field_if_set("target");
  std::string delimiter = options.text("delimiter", "\n");
  if (delimiter.empty()) options.mistake("delimiter", "an empty text parts nothing");
  if (options.failed()) return nullptr;
  return std::make_unique<JsonLines>(JsonEvents(std::move(target)), std::move(delimiter), std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_json_lines;
const CodecPlugin codec_json_lines = {"json_lines", "One JSON object on each line.", make};

}  // namespace enclave::pipeline
