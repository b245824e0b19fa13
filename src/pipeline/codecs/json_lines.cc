#include "pipeline/codec.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// One JSON object (or a list of them) on each line.
class JsonLines final : public Codec {
 public:
  void decode(std::string_view payload, event::Arena& arena, FilterRun& run,
              std::vector<event::Document>& into) override {
    const auto read = run.json.read(payload, arena);
    if (read && read->is(Kind::map)) {
      into.emplace_back(arena, *read);
    } else if (read && read->is(Kind::list)) {
      for (const Value& item : read->items()) {
        if (item.is(Kind::map)) {
          into.emplace_back(arena, item);
        } else {
          failed(payload, arena, into);
        }
      }
    } else {
      failed(payload, arena, into);
    }
  }

  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    append_json(event, out);
    out += '\n';
  }

 private:
  static void failed(std::string_view payload, event::Arena& arena, std::vector<event::Document>& into) {
    auto& event = into.emplace_back(arena);
    event.set(event::kMessageField, Value::of(payload));
    event.tag("_jsonparsefailure");
  }
};

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  (void)options.text("charset");
  (void)options.text("ecs_compatibility");
  return std::make_unique<JsonLines>();
}

}  // namespace

extern const CodecPlugin codec_json_lines;
const CodecPlugin codec_json_lines = {"json_lines", "One JSON object on each line.", make};

}  // namespace enclave::pipeline
