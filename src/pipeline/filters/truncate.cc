#include <algorithm>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Cuts texts that are too long.
class Truncate final : public Filter {
 public:
  Truncate(std::vector<logstash::FieldReference> fields, std::size_t bytes_max)
      : fields_(std::move(fields)), bytes_max_(bytes_max) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    for (const auto& field : fields_)
      if (Value* const value = event.find(field.segments())) cut(*value);
    if (fields_.empty())
      for (event::Member& member : event.root().members()) cut_all(member.value, 0);
    return true;
  }

 private:
  void cut(Value& value) const {
    if (value.is(Kind::list))
      for (Value& item : value.items()) cut_text(item);
    cut_text(value);
  }

  void cut_all(Value& value, std::size_t depth) const {
    if (depth > event::kValueDepthMax) return;
    if (value.is(Kind::map)) {
      for (event::Member& member : value.members()) cut_all(member.value, depth + 1);
    } else if (value.is(Kind::list)) {
      for (Value& item : value.items()) cut_all(item, depth + 1);
    } else {
      cut_text(value);
    }
  }

  /// Never within a character.
  void cut_text(Value& value) const {
    if (!value.is(Kind::text) || value.text().size() <= bytes_max_) return;
    const std::string_view text = value.text();
    std::size_t end = bytes_max_;
    for (int back = 0; back < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++back) --end;
    value = Value::of(text.substr(0, end));
  }

  std::vector<logstash::FieldReference> fields_;
  std::size_t bytes_max_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  if (!options.has("length_bytes")) options.mistake("length_bytes", "how many bytes a text may have is wanted");
  auto fields = options.fields("fields");
  const auto bytes_max = options.number("length_bytes", 1, 0, std::int64_t{1} << 32);
  if (options.failed()) return nullptr;
  return std::make_unique<Truncate>(std::move(fields), static_cast<std::size_t>(bytes_max));
}

}  // namespace

extern const FilterPlugin filter_truncate;
const FilterPlugin filter_truncate = {"truncate", "Cuts texts that are too long.", make};

}  // namespace enclave::pipeline
