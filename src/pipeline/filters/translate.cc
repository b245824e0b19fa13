#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/files.h"
#include "pipeline/config/yaml.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::uint64_t kDictionaryBytesMax = 128 << 20;

struct Dictionary {
  std::unordered_map<std::string, std::string> words;
  std::vector<std::pair<Regex, std::string>> expressions;  ///< in the order of the dictionary
};
using Entries = std::vector<std::pair<std::string, std::string>>;

struct Settings {
  logstash::FieldReference source, target;
  std::optional<logstash::TextReference> fallback = {};
  std::optional<logstash::FieldReference> iterate_on = {};
  bool exact = true, regex = false, override_target = false;
};

/// Replaces values by what a dictionary says of them.
class Translate final : public Filter {
 public:
  Translate(Settings settings, Entries entries, Dictionary dictionary)
      : settings_(std::move(settings)), entries_(std::move(entries)), dictionary_(std::move(dictionary)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    if (settings_.iterate_on) return iterate(event, run);
    const Value* value = event.find(settings_.source.segments());
    if (value == nullptr || (!settings_.override_target && event.find(settings_.target.segments()) != nullptr))
      return false;
    // As the original: of a list, its first.
    if (value->is(Kind::list) && !value->items().empty()) value = value->items().data();
    const auto meaning = translated(*value, event, run);
    return meaning && event.set(settings_.target.segments(), *meaning);
  }

 private:
  /// Each item of a list: of texts what they mean becomes a list, in maps it stands beside what was looked up.
  bool iterate(event::Document& event, FilterRun& run) {
    const Value* const list = event.find(settings_.iterate_on->segments());
    if (list == nullptr || !list->is(Kind::list) || list->items().empty()) return false;
    event::Arena& arena = event.arena();
    bool any = false;
    if (*settings_.iterate_on == settings_.source) {
      if (!settings_.override_target && event.find(settings_.target.segments()) != nullptr) return false;
      const Value meanings = Value::list(arena);
      for (const Value& item : list->items()) {
        const auto meaning = translated(item, event, run);
        meanings.append(arena, meaning.value_or(Value()));
        any = any || meaning;
      }
      return any && event.set(settings_.target.segments(), meanings);
    }
    for (const Value& item : list->items()) {
      if (!item.is(Kind::map)) continue;
      event::Document inner(arena, item);
      const Value* const value = inner.find(settings_.source.segments());
      if (value == nullptr || (!settings_.override_target && inner.find(settings_.target.segments()) != nullptr))
        continue;
      const auto meaning = translated(*value, event, run);
      any = (meaning && inner.set(settings_.target.segments(), *meaning)) || any;
    }
    return any;
  }

  /// None: the dictionary does not know it, and there is no fallback.
  std::optional<Value> translated(const Value& value, event::Document& event, FilterRun& run) {
    run.scratch.clear();
    append_text(value, run.scratch);
    const std::string* const found = settings_.exact ? look_up(run.scratch) : replace_within(run.scratch);
    if (found != nullptr) return Value::of(event.arena().store(*found));
    if (!settings_.fallback) return std::nullopt;
    run.scratch.clear();
    logstash::append_reference(*settings_.fallback, event, run.now_ns, run.scratch);
    return Value::of(event.arena().store(run.scratch));
  }

  const std::string* look_up(const std::string& text) const {
    if (!settings_.regex) {
      const auto found = dictionary_.words.find(text);
      return found == dictionary_.words.end() ? nullptr : &found->second;
    }
    for (const auto& [expression, meaning] : dictionary_.expressions)
      if (expression.search(text) == Regex::Outcome::yes) return &meaning;
    return nullptr;
  }

  /// All that the dictionary knows within the text; the earlier entry goes first.
  const std::string* replace_within(const std::string& text) {
    replaced_.clear();
    bool any = false;
    for (std::size_t at = 0; at < text.size();) {
      const auto found = std::ranges::find_if(entries_, [&](const auto& entry) {
        return !entry.first.empty() && std::string_view(text).substr(at).starts_with(entry.first);
      });
      if (found == entries_.end()) {
        replaced_ += text[at++];
        continue;
      }
      any = true;
      replaced_ += found->second;
      at += found->first.size();
    }
    return any ? &replaced_ : nullptr;
  }

  Settings settings_;
  Entries entries_;
  Dictionary dictionary_;
  std::string replaced_;
};

Result<Entries> entries_of_json(std::string_view text) {
  event::JsonReader reader;
  event::Arena arena;
  const Value root = TRY(reader.read(text, arena));
  if (!root.is(Kind::map)) return Error{Fault::invalid, "a map is wanted: {{ \"key\": \"value\" }}"};
  Entries entries;
  for (const event::Member& member : root.members())
    append_text(member.value, entries.emplace_back(member.name, "").second);
  return entries;
}

Result<Entries> entries_of_yaml(std::string_view text, const std::string& path) {
  Diagnostics diagnostics;
  const Node root = parse_yaml(text, path, diagnostics);
  if (diagnostics.has_errors()) return Error{Fault::invalid, "{}", diagnostics.text()};
  if (root.kind != Node::Kind::map) return Error{Fault::invalid, "a map is wanted: key: value"};
  Entries entries;
  for (const auto& member : root.members) {
    if (member.value.kind != Node::Kind::scalar)
      return Error{Fault::unsupported, "line {}: \"{}\" has no text as its value", member.place.line, member.key};
    entries.emplace_back(member.key, member.value.scalar);
  }
  return entries;
}

/// Two columns, without line ends within them.
Result<Entries> entries_of_csv(std::string_view text) {
  const auto take = [](std::string_view& line) {
    std::string out;
    const bool quoted = line.starts_with('"');
    std::size_t i = quoted ? 1 : 0;
    for (; i < line.size() && line[i] != (quoted ? '"' : ','); ++i) {
      out += line[i];
      if (quoted && line.substr(i + 1).starts_with("\"\"")) out += '"', i += 2;
    }
    line.remove_prefix(std::min(i + (quoted ? 1 : 0), line.size()));
    if (line.starts_with(',')) line.remove_prefix(1);
    return out;
  };
  Entries entries;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::string key = take(line);
    entries.emplace_back(std::move(key), take(line));
  }
  return entries;
}

Result<Entries> read_dictionary(Files& files, const std::string& path) {
  const std::string text = TRY(read_file(files, path, kDictionaryBytesMax));
  if (path.ends_with(".json")) return entries_of_json(text);
  if (path.ends_with(".csv")) return entries_of_csv(text);
  if (path.ends_with(".yml") || path.ends_with(".yaml")) return entries_of_yaml(text, path);
  return Error{Fault::invalid, "the name of {} ends in none of .yml, .yaml, .json and .csv", path};
}

/// An option that has a new and an old name.
std::optional<logstash::FieldReference> field_of(logstash::PluginOptions& options, std::string_view name,
                                                 std::string_view old) {
  auto field = options.field_if_set(name);
  auto former = options.field_if_set(old);
  if (field && former) options.mistake(old, fmt::format("it is the old name of {}, which is set too", name));
  return field ? field : former;
}

Entries read_entries(logstash::PluginOptions& options, const FilterWorld& world) {
  Entries entries = options.pairs("dictionary");
  const auto path = options.text_if_set("dictionary_path");
  options.number("refresh_interval", 300, 0, 1'000'000'000);
  options.text("refresh_behaviour");
  if (path && !entries.empty()) options.mistake("dictionary_path", "dictionary is set too; one of them is wanted");
  if (!path && !options.has("dictionary")) options.mistake("dictionary", "a dictionary or a dictionary_path is wanted");
  if (!path) return entries;
  auto read = read_dictionary(world.files, *path);
  if (read) return std::move(*read);
  options.mistake("dictionary_path", read.error().text());
  return {};
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  const bool ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  const auto source = field_of(options, "source", "field");
  if (!source) options.mistake("source", "the field to translate is wanted: source => \"status\"");
  auto target = field_of(options, "target", "destination");
  const auto fallback = options.text_if_set("fallback");
  auto entries = read_entries(options, world);
  Settings settings{.source = source.value_or(options.as_field("source", "message")),
                    .target = options.as_field("target", "translation")};
  if (target || ecs) settings.target = target.value_or(settings.source);
  settings.iterate_on = options.field_if_set("iterate_on");
  if (fallback) settings.fallback = options.as_reference("fallback", *fallback);
  settings.exact = options.boolean("exact", true);
  settings.regex = options.boolean("regex", false);
  settings.override_target = options.boolean("override", settings.target == settings.source);
  Dictionary dictionary;
  for (const auto& [key, meaning] : entries) {
    dictionary.words.insert_or_assign(key, meaning);
    if (!settings.regex) continue;
    if (auto regex = compile_ruby(key))
      dictionary.expressions.emplace_back(std::move(*regex), meaning);
    else
      options.mistake("dictionary", regex.error().text());
  }
  if (options.failed()) return nullptr;
  return std::make_unique<Translate>(std::move(settings), std::move(entries), std::move(dictionary));
}

}  // namespace

extern const FilterPlugin filter_translate;
const FilterPlugin filter_translate = {"translate", "Replaces values by what a dictionary says of them.", make};

}  // namespace enclave::pipeline
