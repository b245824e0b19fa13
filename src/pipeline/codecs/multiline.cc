#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/event_line.h"
#include "pipeline/grok/expression.h"
#include "pipeline/grok/pattern_options.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// The lines were put together before; what is left is one message.
class Multiline final : public Codec {
 public:
  explicit Multiline(Charset charset) : charset_(std::move(charset)) {}

  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, Value::of(charset_.text(payload, arena)));
  }
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override {
    append_event_line(event, out);
  }

 private:
  Charset charset_;
};

/// The pattern for PCRE2, with grok's names in their place.
Result<std::string> expanded(std::string_view pattern, const grok::PatternLibrary& library) {
  const std::string whole = TRY(grok::expand(pattern, library, false));
  const auto translation = TRY(grok::translate(whole));
  TRY(Regex::compile(translation.expression));
  return translation.expression;
}

std::optional<MultilineRule> multiline(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kWhat[] = {"previous", "next"};
  MultilineRule rule;
  if (!options.has("pattern"))
    options.mistake("pattern", "the expression of the lines to join is wanted: pattern => \"^\\s\"");
  if (!options.has("what"))
    options.mistake("what", "is wanted: what => \"previous\", or \"next\": to which line the others belong");
  const std::string pattern = options.text("pattern");
  const bool legacy = options.text("ecs_compatibility", world.ecs_compatibility) == "disabled";
  grok::PatternLibrary library(legacy ? grok::Vocabulary::legacy : grok::Vocabulary::ecs);
  grok::add_pattern_files(options, world.files, "*", library);
  if (auto expression = expanded(pattern, library)) {
    rule.pattern = std::move(*expression);
  } else {
    options.mistake("pattern", expression.error().text());
  }
  rule.after = options.choice("what", kWhat, "previous") == "previous";
  rule.negate = options.boolean("negate", false);
  rule.lines_max = static_cast<std::uint64_t>(options.number("max_lines", 500, 1, 1'000'000));
  const std::string bytes = options.text("max_bytes", "10 MiB");
  if (const auto size = parse_bytes(bytes))
    rule.bytes_max = size->value;
  else
    options.mistake("max_bytes", size.error().text());
  // The original waits for ever without it, so that the last event comes with the next one only.
  rule.timeout = std::chrono::seconds(options.number("auto_flush_interval", 5, 1, 86'400));
  rule.tag = options.text("multiline_tag", "multiline");
  if (options.failed()) return std::nullopt;
  return rule;
}

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  Charset charset = Charset::from(options);
  if (options.failed()) return nullptr;
  return std::make_unique<Multiline>(std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_multiline;
const CodecPlugin codec_multiline = {"multiline", "Lines that belong together are one message.", make, multiline};

}  // namespace enclave::pipeline
