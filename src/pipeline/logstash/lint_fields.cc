#include <algorithm>

#include "pipeline/logstash/lint_detail.h"
#include "pipeline/logstash/text_reference.h"

/// What concerns more than one plugin: fields that go before they are used, names of other generations, secrets.
namespace enclave::pipeline::logstash {
namespace {

using lint_detail::Linter;

template <class Visit>
void each_plugin(const std::vector<Item>& items, bool conditional, Visit&& visit) {
  for (const auto& item : items) {
    if (const auto* plugin = std::get_if<Plugin>(&item)) {
      visit(*plugin, conditional);
      continue;
    }
    for (const auto& arm : std::get<Branch>(item).arms) each_plugin(arm.items, true, visit);
  }
}

template <class Visit>
void each_value(const Value& value, Visit&& visit) {
  visit(value);
  if (const auto* array = std::get_if<Array>(&value.data))
    for (const auto& item : array->items) each_value(item, visit);
  if (const auto* hash = std::get_if<Hash>(&value.data))
    for (const auto& entry : hash->entries) each_value(entry.value, visit);
}

std::string top_of(std::string_view reference) {
  const auto field = FieldReference::parse(reference);
  return field ? field->segments().front().name : std::string(reference);
}

struct Removed {
  std::string name;
  Position position;
};

std::vector<Removed> removed_fields(const Configuration& configuration) {
  std::vector<Removed> out;
  each_plugin(configuration.filters, false, [&](const Plugin& plugin, bool conditional) {
    for (const auto* attribute : find_all(plugin, "remove_field"))
      each_value(attribute->value, [&](const Value& value) {
        const auto* text = text_of(value);
        if (text == nullptr || conditional) return;
        const auto field = FieldReference::parse(*text);
        if (field && field->segments().size() == 1) out.push_back({field->segments().front().name, value.position});
      });
    // Made again later: not missing any more.
    for (const std::string_view making : {"add_field", "rename", "copy", "replace", "target"})
      for (const auto* attribute : find_all(plugin, making)) {
        const auto made = [&](const std::string* text) {
          if (text == nullptr) return;
          std::erase_if(out, [&](const Removed& one) { return one.name == top_of(*text); });
        };
        made(text_of(attribute->value));
        if (const auto* hash = std::get_if<Hash>(&attribute->value.data))
          for (const auto& entry : hash->entries) {
            made(text_of(entry.key));
            made(text_of(entry.value));
          }
      }
  });
  return out;
}

constexpr std::string_view kOldNames[] = {"beat", "prospector", "offset", "source"};

std::string_view new_name_of(std::string_view old) {
  if (old == "beat") return "[agent]";
  if (old == "prospector") return "[input][type]";
  if (old == "offset") return "[log][offset]";
  return "[log][file][path]";
}

bool is_secret_name(std::string_view name) {
  constexpr std::string_view kParts[] = {"password", "secret", "api_key", "passphrase", "token", "cloud_auth"};
  return std::any_of(std::begin(kParts), std::end(kParts),
                     [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

}  // namespace

void lint_removed_fields(Linter& linter) {
  const auto removed = removed_fields(linter.configuration);
  each_plugin(linter.configuration.outputs, true, [&](const Plugin& plugin, bool) {
    for (const auto& attribute : plugin.attributes)
      each_value(attribute.value, [&](const Value& value) {
        const auto* text = std::get_if<String>(&value.data);
        const auto compiled =
            text == nullptr ? Result<TextReference>(TextReference()) : TextReference::compile(text->text);
        if (!compiled) return;
        for (const auto& part : compiled->parts()) {
          if (part.kind != TextReference::Part::Kind::field) continue;
          const std::string& name = part.field->segments().front().name;
          const auto gone =
              std::find_if(removed.begin(), removed.end(), [&](const Removed& one) { return one.name == name; });
          if (gone == removed.end()) continue;
          const Place place = linter.configuration.place(value.position);
          linter.add(
              "removed-field", gone->position,
              fmt::format("{} is removed here, but the output {} uses {} ({}:{})", name, plugin.name, part.text,
                          place.file, place.line),
              fmt::format("keep it, or copy it to [@metadata][{}] before, which outputs see and do not write", name));
        }
      });
  });
  // One generation's events hold either [beat] or [agent]; a file that speaks of both serves two.
  bool has_beats = false;
  each_plugin(linter.configuration.inputs, true,
              [&](const Plugin& plugin, bool) { has_beats |= plugin.name == "beats"; });
  if (!has_beats) return;
  const auto look = [&](const Plugin& plugin, bool) {
    for (const auto& attribute : plugin.attributes)
      each_value(attribute.value, [&](const Value& value) {
        const auto* text = std::get_if<String>(&value.data);
        if (text == nullptr) return;
        const auto compiled = TextReference::compile(text->text);
        if (!compiled) return;
        for (const auto& part : compiled->parts()) {
          if (part.kind != TextReference::Part::Kind::field) continue;
          const auto& segments = part.field->segments();
          const bool nested = segments.size() > 1;
          const auto* old = std::find(std::begin(kOldNames), std::end(kOldNames), segments.front().name);
          if (old == std::end(kOldNames) || (nested && *old != "beat" && *old != "prospector")) continue;
          linter.findings.push_back(
              {Finding::Grade::note, "old-beats-name", value.position,
               fmt::format("{} is how Filebeat 6 named it; 7 and 8 send {}", part.text, new_name_of(*old)),
               "look at which generation sends, or choose its shape with compat"});
        }
      });
  };
  each_plugin(linter.configuration.filters, true, look);
  each_plugin(linter.configuration.outputs, true, look);
}

void lint_secrets(Linter& linter, std::uint32_t file) {
  const auto look = [&](const Plugin& plugin, bool) {
    for (const auto& attribute : plugin.attributes) {
      const auto* text = std::get_if<String>(&attribute.value.data);
      if (attribute.position.file != file || text == nullptr || text->text.empty()) continue;
      if (!is_secret_name(attribute.name) || text->text.find("${") != std::string::npos) continue;
      linter.add(
          "readable-secret", attribute.position,
          fmt::format("\"{}\" stands in clear text in a file that everybody on this machine can read", attribute.name),
          "write ${NAME} and put it into the keystore, or take the file's mode to 0600");
    }
  };
  each_plugin(linter.configuration.inputs, false, look);
  each_plugin(linter.configuration.filters, false, look);
  each_plugin(linter.configuration.outputs, false, look);
}

}  // namespace enclave::pipeline::logstash
