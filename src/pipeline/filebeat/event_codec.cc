#include "pipeline/filebeat/event_codec.h"

#include "pipeline/filebeat/event_format.h"

namespace enclave::pipeline::filebeat {
namespace {

/// Other than for an input of Logstash, @metadata is of the event.
class WholeJson final : public Codec {
 public:
  void decode(std::string_view /*payload*/, event::Arena& /*arena*/, FilterRun& /*run*/,
              std::vector<event::Document>& /*into*/) override {}
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    append_json(event.root(), out);
    out += '\n';
  }
  Written written() const override { return Written::json; }
};

class Format final : public Codec {
 public:
  explicit Format(std::shared_ptr<const EventFormat> format) : format_(std::move(format)) {}
  void decode(std::string_view /*payload*/, event::Arena& /*arena*/, FilterRun& /*run*/,
              std::vector<event::Document>& /*into*/) override {}
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    (void)format_->append(event, out);
    out += '\n';
  }
  Written written() const override { return Written::as_is; }

 private:
  const std::shared_ptr<const EventFormat> format_;
};

}  // namespace

std::function<std::unique_ptr<Codec>()> event_codec(const Value& codec, std::string_view name, const Place& place,
                                                    Diagnostics& diagnostics) {
  const Value* const json = codec.find("json");
  const Value* const format = codec.find("format");
  const Value* const text = format == nullptr ? nullptr : format->find("string");
  if (codec.is_null() || json != nullptr) {
    if (json != nullptr && json->find("pretty") != nullptr && json->find("pretty")->data == Value{true}.data)
      diagnostics.warning(place, fmt::format("{}: events are written as JSON, one on each line", name));
    return [] { return std::make_unique<WholeJson>(); };
  }
  if (text == nullptr || text->text() == nullptr) {
    diagnostics.error(place, fmt::format("{}.codec: json and format with a string are offered, such as "
                                         "codec.format.string: '%{{[message]}}'",
                                         name));
    return {};
  }
  auto compiled = EventFormat::compile(*text->text());
  if (!compiled) {
    diagnostics.error(place, fmt::format("{}.codec.format.string: {}", name, compiled.error().text()));
    return {};
  }
  const auto shared = std::make_shared<const EventFormat>(std::move(*compiled));
  return [shared] { return std::make_unique<Format>(shared); };
}

}  // namespace enclave::pipeline::filebeat
