#include "pipeline/logstash/plugin_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace enclave::pipeline::logstash {
namespace {

/// What every filter has; the program reads them.
constexpr std::string_view kCommonOptions[] = {"add_field", "remove_field",  "add_tag",       "remove_tag",
                                               "id",        "enable_metric", "periodic_flush"};

std::string kind_of(const Value& value) {
  if (std::holds_alternative<Array>(value.data)) return "a list";
  if (std::holds_alternative<Hash>(value.data)) return "a hash";
  if (std::holds_alternative<std::unique_ptr<Plugin>>(value.data)) return "a plugin";
  if (std::holds_alternative<Number>(value.data)) return "a number";
  return "a text";
}

/// The text of a scalar: a number as it was written.
std::optional<std::string> scalar(const Value& value) {
  if (const auto* number = std::get_if<Number>(&value.data)) return number->text;
  if (const std::string* text = text_of(value)) return *text;
  return std::nullopt;
}

/// All texts of a value: those of a list, or itself. None when there is one that is no text.
std::optional<std::vector<std::string>> scalars(const Value& value) {
  if (const auto one = scalar(value)) return std::vector{*one};
  const auto* array = std::get_if<Array>(&value.data);
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const Value& item : array->items) {
    const auto one = scalar(item);
    if (!one) return std::nullopt;
    all.push_back(*one);
  }
  return all;
}

}  // namespace

std::vector<const Attribute*> PluginOptions::find(std::string_view name) {
  known_.emplace(name);
  return find_all(plugin_, name);
}

const Plugin* PluginOptions::plugin_value(std::string_view name) {
  const auto found = find(name);
  if (found.empty()) return nullptr;
  const auto* plugin = std::get_if<std::unique_ptr<Plugin>>(&found.back()->value.data);
  return plugin == nullptr ? nullptr : plugin->get();
}

bool PluginOptions::has(std::string_view name) const { return logstash::find(plugin_, name) != nullptr; }

void PluginOptions::mistake(std::string_view option, std::string text) {
  failed_ = true;
  const Attribute* const at = logstash::find(plugin_, option);
  diagnostics_.error(at == nullptr ? place() : configuration_.place(at->value.position),
                     fmt::format("{}{}{}: {}", plugin_.name, option.empty() ? "" : ".", option, text));
}

void PluginOptions::warning(std::string_view option, std::string text) {
  const Attribute* const at = logstash::find(plugin_, option);
  diagnostics_.warning(at == nullptr ? place() : configuration_.place(at->value.position),
                       fmt::format("{}.{}: {}", plugin_.name, option, text));
}

std::vector<std::string> PluginOptions::texts(std::string_view name, std::vector<std::string> otherwise) {
  const auto found = find(name);
  if (found.empty()) return otherwise;
  std::vector<std::string> all;
  for (const Attribute* attribute : found) {
    const auto some = scalars(attribute->value);
    if (!some) {
      mistake(name, fmt::format("{} stands where a text or a list of texts is wanted", kind_of(attribute->value)));
      return otherwise;
    }
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

std::optional<std::string> PluginOptions::text_if_set(std::string_view name) {
  const auto found = find(name);
  if (found.empty()) return std::nullopt;
  const auto all = texts(name);
  if (failed_ && all.empty()) return std::nullopt;
  if (all.size() == 1) return all[0];
  mistake(name, fmt::format("one text is wanted, there are {}", all.size()));
  return std::nullopt;
}

std::string PluginOptions::text(std::string_view name, std::string_view otherwise) {
  return text_if_set(name).value_or(std::string(otherwise));
}

std::string PluginOptions::choice(std::string_view name, std::span<const std::string_view> allowed,
                                  std::string_view otherwise) {
  const auto value = text_if_set(name);
  if (!value) return std::string(otherwise);
  if (std::ranges::find(allowed, *value) != allowed.end()) return *value;
  const std::string near = nearest(*value, allowed);
  mistake(name, fmt::format("\"{}\" is not one of {}{}", *value, fmt::join(allowed, ", "),
                            near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  return std::string(otherwise);
}

bool PluginOptions::boolean(std::string_view name, bool otherwise) {
  const auto value = text_if_set(name);
  if (!value) return otherwise;
  if (*value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0") return false;
  mistake(name, fmt::format("\"{}\" is neither true nor false", *value));
  return otherwise;
}

double PluginOptions::real(std::string_view name, double otherwise) {
  const auto value = text_if_set(name);
  if (!value) return otherwise;
  char* end = nullptr;
  const double number = std::strtod(value->c_str(), &end);
  if (!value->empty() && *end == '\0' && std::isfinite(number)) return number;
  mistake(name, fmt::format("\"{}\" is not a number", *value));
  return otherwise;
}

std::int64_t PluginOptions::number(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most) {
  const auto value = text_if_set(name);
  if (!value) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error == std::errc() && end == value->data() + value->size() && number >= least && number <= most) return number;
  mistake(name, fmt::format("\"{}\" is not a whole number from {} to {}", *value, least, most));
  return otherwise;
}

std::vector<std::pair<std::string, std::vector<std::string>>> PluginOptions::hash(std::string_view name) {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  for (const Attribute* attribute : find(name)) {
    if (const auto* hash = std::get_if<Hash>(&attribute->value.data)) {
      for (const HashEntry& entry : hash->entries) {
        const auto values = scalars(entry.value);
        if (!values) {
          mistake(name, fmt::format("\"{}\" has {} where a text or a list of texts is wanted",
                                    scalar(entry.key).value_or(""), kind_of(entry.value)));
          continue;
        }
        all.emplace_back(scalar(entry.key).value_or(""), *values);
      }
      continue;
    }
    const auto list = scalars(attribute->value);
    if (!list || !std::holds_alternative<Array>(attribute->value.data) || list->size() % 2 != 0) {
      mistake(name,
              fmt::format("{} stands where a hash is wanted: {{ \"name\" => \"value\" }}", kind_of(attribute->value)));
      continue;
    }
    for (std::size_t i = 0; i < list->size(); i += 2) all.emplace_back((*list)[i], std::vector{(*list)[i + 1]});
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> PluginOptions::pairs(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> all;
  for (auto& [key, values] : hash(name)) {
    if (values.size() == 1) {
      all.emplace_back(std::move(key), std::move(values[0]));
    } else {
      mistake(name, fmt::format("\"{}\" has {} values where one is wanted", key, values.size()));
    }
  }
  return all;
}

FieldReference PluginOptions::as_field(std::string_view option, const std::string& text) {
  if (auto field = FieldReference::parse(text))
    return std::move(*field);
  else
    mistake(option, field.error().text());
  return *FieldReference::parse("invalid");
}

TextReference PluginOptions::as_reference(std::string_view option, const std::string& text) {
  if (auto reference = TextReference::compile(text))
    return std::move(*reference);
  else
    mistake(option, reference.error().text());
  return {};
}

FieldReference PluginOptions::field(std::string_view name, std::string_view otherwise) {
  return as_field(name, text(name, otherwise));
}

std::optional<FieldReference> PluginOptions::field_if_set(std::string_view name) {
  const auto value = text_if_set(name);
  if (!value) return std::nullopt;
  return as_field(name, *value);
}

std::vector<FieldReference> PluginOptions::fields(std::string_view name) {
  std::vector<FieldReference> all;
  for (const auto& one : texts(name)) all.push_back(as_field(name, one));
  return all;
}

TextReference PluginOptions::reference(std::string_view name, std::string_view otherwise) {
  return as_reference(name, text(name, otherwise));
}

void PluginOptions::ignored(std::string_view name, std::string_view why) {
  if (!find(name).empty()) warning(name, std::string(why));
}

void PluginOptions::finish() {
  std::vector<std::string_view> known(known_.begin(), known_.end());
  known.insert(known.end(), std::begin(kCommonOptions), std::end(kCommonOptions));
  for (const Attribute& attribute : plugin_.attributes) {
    if (std::ranges::find(known, attribute.name) != known.end()) continue;
    failed_ = true;
    const std::string near = nearest(attribute.name, known);
    diagnostics_.error(configuration_.place(attribute.position),
                       fmt::format("{}: there is no option \"{}\"{}", plugin_.name, attribute.name,
                                   near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
}

}  // namespace enclave::pipeline::logstash
