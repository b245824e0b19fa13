#include <charconv>
#include <cmath>
#include <optional>

#include "pipeline/filebeat/event_keys.h"
#include "pipeline/filebeat/network.h"
#include "pipeline/filebeat/processing.h"

/// convert.
namespace enclave::pipeline::filebeat {
namespace {

using event::Document;
using event::Kind;

std::optional<event::Value> as_whole(const event::Value& value, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  if (value.is(Kind::integer)) {
    number = value.integer();
  } else if (value.is(Kind::real)) {
    if (!(std::abs(value.real()) < 9e18)) return std::nullopt;
    number = static_cast<std::int64_t>(value.real());
  } else if (value.is(Kind::text)) {
    std::string_view text = value.text();
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (number < least || number > most) return std::nullopt;
  return event::Value::of(number);
}

std::optional<event::Value> as_real(const event::Value& value) {
  if (const auto number = number_of(value)) return event::Value::of(*number);
  if (!value.is(Kind::text)) return std::nullopt;
  double number = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return event::Value::of(number);
}

std::optional<event::Value> as_flag(const event::Value& value) {
  if (value.is(Kind::boolean)) return value;
  if (!value.is(Kind::text)) return std::nullopt;
  for (const std::string_view word : {"1", "t", "T", "TRUE", "true", "True"})
    if (value.text() == word) return event::Value::of(true);
  for (const std::string_view word : {"0", "f", "F", "FALSE", "false", "False"})
    if (value.text() == word) return event::Value::of(false);
  return std::nullopt;
}

std::optional<event::Value> converted(const event::Value& value, const std::string& type, event::Arena& arena) {
  if (type.empty()) return value;
  if (type == "integer") return as_whole(value, INT32_MIN, INT32_MAX);
  if (type == "long") return as_whole(value, INT64_MIN, INT64_MAX);
  if (type == "float" || type == "double") return as_real(value);
  if (type == "boolean") return as_flag(value);
  if (type == "ip") return value.is(Kind::text) && parse_address(value.text()) ? std::optional(value) : std::nullopt;
  if (value.is(Kind::map) || value.is(Kind::list) || value.is(Kind::null)) return std::nullopt;
  if (value.is(Kind::text)) return value;
  std::string text;
  append_text(value, text);
  return event::Value::of(arena.store(text));
}

class Convert final : public Step {
 public:
  explicit Convert(const StepOptions& options)
      : pairs_(options.pairs()),
        tag_(options.text("tag")),
        renames_(options.text("mode") == "rename"),
        ignore_missing_(options.flag("ignore_missing")),
        fail_on_error_(options.flag("fail_on_error")) {}

  void run(Document& event, FilterRun& /*run*/) override {
    const Document before = fail_on_error_ && pairs_.size() > 1 ? event.copy() : event;
    for (const auto& pair : pairs_) {
      const std::string why = convert(event, pair);
      if (why.empty() || !fail_on_error_) continue;
      if (pairs_.size() > 1) event = before;
      if (!tag_.empty()) event.tag(tag_);
      return set_error(event, fmt::format("failed in processor.convert: {}", why));
    }
  }

 private:
  std::string convert(Document& event, const StepOptions::Pair& pair) const {
    const event::Value* const found = find_key(event.root(), pair.from);
    if (found == nullptr) return ignore_missing_ ? "" : fmt::format("field [{}] is missing", pair.from);
    const auto made = converted(*found, pair.type, event.arena());
    if (!made) {
      std::string text;
      append_text(*found, text);
      return fmt::format("unable to convert value [{}] of field [{}] to [{}]", text.substr(0, 100), pair.from,
                         pair.type);
    }
    if (renames_ && !pair.to.empty()) erase_key(event.root(), pair.from);
    put_key(event.arena(), event.root(), pair.to.empty() ? pair.from : pair.to, *made);
    return "";
  }
  const std::vector<StepOptions::Pair> pairs_;
  const std::string tag_;
  const bool renames_, ignore_missing_, fail_on_error_;
};

}  // namespace

Made make_convert_step(const Processor& processor, Diagnostics& /*diagnostics*/) {
  if (processor.name != "convert") return nullptr;
  return std::make_unique<Convert>(StepOptions{processor.options});
}

}  // namespace enclave::pipeline::filebeat
