#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "pipeline/dissection.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Takes texts apart at fixed delimiters.
class Dissect final : public Filter {
 public:
  struct Mapping {
    logstash::FieldReference field;
    Dissection dissection;
  };
  struct Conversion {
    logstash::FieldReference field;
    std::string name, type;
  };
  struct Settings {
    std::vector<Mapping> mappings;
    std::vector<Conversion> conversions;
    std::vector<std::string> tag_on_failure;
  };
  explicit Dissect(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    bool fine = true;
    for (Mapping& mapping : settings_.mappings) {
      const Value* const value = event.find(mapping.field.segments());
      if (value == nullptr || value->is(Kind::null)) continue;
      std::string_view text;
      if (value->is(Kind::text)) {
        text = value->text();
      } else {
        run.scratch.clear();
        append_text(*value, run.scratch);
        text = event.arena().store(run.scratch);
      }
      fine = mapping.dissection.apply(text, event) && fine;
    }
    for (const Conversion& conversion : settings_.conversions) convert(conversion, event);
    if (!fine)
      for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return fine;
  }

 private:
  static void convert(const Conversion& conversion, event::Document& event) {
    Value* const value = event.find(conversion.field.segments());
    const auto tag = [&](std::string_view what) {
      event.tag(fmt::format("_dataconversion{}_{}_{}", what, conversion.name, conversion.type));
    };
    if (value == nullptr || value->is(Kind::null)) return tag("nullvalue");
    const bool whole = conversion.type == "int";
    if (value->is(Kind::real) && whole && value->real() > -9e18 && value->real() < 9e18) {
      *value = Value::of(static_cast<std::int64_t>(value->real()));
    } else if (value->is(Kind::integer) && !whole) {
      *value = Value::of(static_cast<double>(value->integer()));
    } else if (value->is(Kind::text)) {
      const std::string_view text = value->text();
      std::int64_t integer = 0;
      double real = 0;
      const char* const end = text.data() + text.size();
      const bool is_integer = std::from_chars(text.data(), end, integer) == std::from_chars_result{end, std::errc()};
      const bool is_real = std::from_chars(text.data(), end, real) == std::from_chars_result{end, std::errc()} &&
                           real > -9e18 && real < 9e18;
      if (text.empty() || !(is_integer || is_real)) return tag("uncoercible");
      if (!whole) {
        *value = Value::of(is_real ? real : static_cast<double>(integer));
      } else {
        *value = Value::of(is_integer ? integer : static_cast<std::int64_t>(real));
      }
    } else if (!value->is(Kind::integer) && !value->is(Kind::real)) {
      tag("uncoercible");
    }
  }

  Settings settings_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  Dissect::Settings settings;
  settings.tag_on_failure = options.texts("tag_on_failure", {"_dissectfailure"});
  for (const auto& [field, pattern] : options.pairs("mapping")) {
    auto dissection = Dissection::compile(pattern);
    if (dissection)
      settings.mappings.push_back({options.as_field("mapping", field), std::move(*dissection)});
    else
      options.mistake("mapping", dissection.error().text());
  }
  for (const auto& [field, type] : options.pairs("convert_datatype")) {
    if (type != "int" && type != "float")
      options.mistake("convert_datatype", fmt::format("\"{}\" is no type; there are int and float", type));
    settings.conversions.push_back({options.as_field("convert_datatype", field), field, type});
  }
  if (options.failed()) return nullptr;
  return std::make_unique<Dissect>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_dissect;
const FilterPlugin filter_dissect = {"dissect", "Takes a text apart at fixed delimiters.", make};

}  // namespace enclave::pipeline
