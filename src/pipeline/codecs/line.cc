#include <algorithm>
#include <optional>

#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/event_line.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// Each line of the payload is a message; an event is one line.
class Line final : public Codec {
 public:
  Line(std::optional<logstash::TextReference> format, std::string delimiter, Charset charset)
      : format_(std::move(format)), delimiter_(std::move(delimiter)), charset_(std::move(charset)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    do {
      const std::size_t end = std::min(payload.find(delimiter_), payload.size());
      into.emplace_back(arena).set(event::kMessageField, Value::of(charset_.text(payload.substr(0, end), arena)));
      payload.remove_prefix(std::min(end + delimiter_.size(), payload.size()));
    } while (!payload.empty());
  }

  void encode(const event::Document& event, FilterRun& run, std::string& out) override {
    if (format_)
      logstash::append_reference(*format_, event, run.now_ns, out);
    else
      append_event_line(event, out);
    out += delimiter_;
  }
  Written written() const override { return format_ ? Written::as_is : Written::otherwise; }

 private:
  std::optional<logstash::TextReference> format_;
  std::string delimiter_;
  Charset charset_;
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("ecs_compatibility");
  Charset charset = Charset::from(options);
  std::string delimiter = options.text("delimiter", "\n");
  if (delimiter.empty()) options.mistake("delimiter", "an empty text parts nothing");
  std::optional<logstash::TextReference> format = options.reference("format", "");
  if (!options.has("format")) format.reset();
  if (options.failed()) return nullptr;
  return std::make_unique<Line>(std::move(format), std::move(delimiter), std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_line;
const CodecPlugin codec_line = {"line", "Each line is a message.", make};

}  // namespace enclave::pipeline
