#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/pair_scanner.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::size_t kPairsMax = 5000;  ///< of one event; those behind are left out, and the event is tagged
constexpr int kRecursionMax = 10;

enum class Transform : std::uint8_t { none, lowercase, uppercase, capitalize };

/// What is done to each key, and to each value.
struct Polish {
  ByteSet trim = {}, remove = {};
  Transform transform = Transform::none;
};

struct Settings {
  logstash::FieldReference source;
  std::optional<logstash::FieldReference> target = {};
  Polish keys = {}, values = {};
  logstash::TextReference prefix = {};
  std::vector<logstash::TextReference> include_keys = {}, exclude_keys = {};
  std::vector<std::pair<std::string, std::vector<std::string>>> default_keys = {};
  bool allow_duplicate_values = true;
  bool allow_empty_values = false;
  bool recursive = false;
  std::vector<std::string> tag_on_failure = {};
};

/// Finds keys and values in a text.
class KeyValue final : public Filter {
 public:
  /// One scanner for each level of recursion.
  KeyValue(Settings settings, std::vector<PairScanner> scanners)
      : settings_(std::move(settings)), scanners_(std::move(scanners)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const Value* const source = event.find(settings_.source.segments());
    if (source == nullptr) return false;
    pairs_ = 0;
    exhausted_ = false;
    prepare(event, run);
    const Value found = Value::map(event.arena());
    const Value input = *source;
    if (input.is(Kind::text)) {
      read(input.text(), found, event.arena(), 0);
    } else if (input.is(Kind::list)) {
      for (const Value& item : input.items())
        if (item.is(Kind::text)) read(item.text(), found, event.arena(), 0);
    }
    for (const auto& [name, values] : settings_.default_keys) add_default(name, values, found, event.arena());
    if (exhausted_)
      for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    if (found.members().empty()) return false;
    if (settings_.target) return event.set(settings_.target->segments(), found) && !exhausted_;
    for (const event::Member& member : found.members())
      if (member.name != event::kTimeField) event.set(member.name, member.value);
    return !exhausted_;
  }

 private:
  static std::string text_of(const logstash::TextReference& reference, const event::Document& event, FilterRun& run) {
    std::string out;
    reference.append(
        event.wall_ns(), run.now_ns,
        [&event](const logstash::TextReference::Part& part, std::string& to) {
          const Value* const value = event.find(part.field->segments());
          if (value == nullptr) return false;
          append_text(*value, to);
          return true;
        },
        out);
    return out;
  }

  void prepare(const event::Document& event, FilterRun& run) {
    prefix_ = text_of(settings_.prefix, event, run);
    included_.clear();
    excluded_.clear();
    for (const auto& key : settings_.include_keys) included_.push_back(text_of(key, event, run));
    for (const auto& key : settings_.exclude_keys) excluded_.push_back(text_of(key, event, run));
  }

  void read(std::string_view text, const Value& into, event::Arena& arena, std::size_t level) {
    PairScanner& scanner = scanners_[level];
    scanner.begin(text);
    while (const auto pair = scanner.next()) {
      if (++pairs_ > kPairsMax) {
        exhausted_ = true;
        return;
      }
      add(*pair, into, arena, level);
    }
    exhausted_ = exhausted_ || scanner.exhausted();
  }

  void add(const PairScanner::Pair& pair, const Value& into, event::Arena& arena, std::size_t level) {
    const std::string_view key = polish(pair.key, settings_.keys, arena);
    const std::string_view text = polish(pair.value, settings_.values, arena);
    if (key.empty() || (text.empty() && !settings_.allow_empty_values)) return;
    if (!included_.empty() && std::ranges::find(included_, key) == included_.end()) return;
    if (std::ranges::find(excluded_, key) != excluded_.end()) return;
    const std::string_view name = prefix_.empty() ? key : arena.store(prefix_ + std::string(key));
    Value value = Value::of(text);
    if (settings_.recursive && level + 1 < scanners_.size()) {
      const Value inner = Value::map(arena, 4);
      read(text, inner, arena, level + 1);
      if (!inner.members().empty()) value = inner;
    }
    Value* const known = into.find(name);
    if (known == nullptr) {
      into.append_member(arena, name, value);
      return;
    }
    const bool list = known->is(Kind::list);
    const bool again = list ? std::ranges::find(known->items(), value) != known->items().end() : *known == value;
    if (again && !settings_.allow_duplicate_values) return;
    if (!list) {
      const Value both = Value::list(arena);
      both.append(arena, *known);
      *known = both;
    }
    known->append(arena, value);
  }

  static void add_default(const std::string& name, const std::vector<std::string>& values, const Value& found,
                          event::Arena& arena) {
    if (found.find(name) != nullptr || values.empty()) return;
    Value value = Value::of(arena.store(values[0]));
    if (values.size() > 1) {
      value = Value::list(arena, values.size());
      for (const auto& one : values) value.append(arena, Value::of(arena.store(one)));
    }
    found.append_member(arena, arena.store(name), value);
  }

  static std::string_view polish(std::string_view text, const Polish& polish, event::Arena& arena) {
    text = polish.trim.trim(text);
    if (polish.remove.empty() && polish.transform == Transform::none) return text;
    const auto room = arena.allocate_text(text.size());
    std::size_t size = 0;
    for (const char c : text) {
      if (polish.remove.has(c)) continue;
      const bool upper =
          polish.transform == Transform::uppercase || (polish.transform == Transform::capitalize && size == 0);
      const bool lower = polish.transform != Transform::none && !upper;
      const bool letter = static_cast<unsigned char>(c) < 0x80;
      room[size++] = !letter ? c
                     : upper ? static_cast<char>(std::toupper(c))
                     : lower ? static_cast<char>(std::tolower(c))
                             : c;
    }
    return {room.data(), size};
  }

  Settings settings_;
  std::vector<PairScanner> scanners_;
  std::string prefix_;
  std::vector<std::string> included_, excluded_;
  std::size_t pairs_ = 0;
  bool exhausted_ = false;
};

Polish read_polish(logstash::PluginOptions& options, std::string_view what) {
  constexpr std::string_view kTransforms[] = {"", "lowercase", "uppercase", "capitalize"};
  Polish polish;
  polish.trim = ByteSet(options.text(fmt::format("trim_{}", what)));
  polish.remove = ByteSet(options.text(fmt::format("remove_char_{}", what)));
  const auto transform = options.choice(fmt::format("transform_{}", what), kTransforms, "");
  polish.transform = static_cast<Transform>(std::ranges::find(kTransforms, transform) - std::begin(kTransforms));
  return polish;
}

Splitter read_splitter(logstash::PluginOptions& options, const std::string& name, std::string_view otherwise) {
  const std::string pattern = name + "_pattern";
  const std::string set = options.text(name, otherwise);
  if (set.empty()) options.mistake(name, "it is empty, so it splits nothing");
  const auto expression = options.text_if_set(pattern);
  if (!expression) return Splitter(set);
  if (expression->empty()) options.mistake(pattern, "it is empty, so it splits nothing");
  if (auto regex = compile_ruby(*expression))
    return Splitter(std::move(*regex));
  else
    options.mistake(pattern, regex.error().text());
  return Splitter(set);
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  constexpr std::string_view kSpaces[] = {"lenient", "strict"}, kModes[] = {"disabled", "v1", "v8"};
  options.choice("ecs_compatibility", kModes, "v8");
  options.number("timeout_millis", 30'000, 0, 3'600'000);
  options.text("tag_on_timeout");
  Settings settings{.source = options.field("source", "message"), .target = options.field_if_set("target")};
  settings.keys = read_polish(options, "key");
  settings.values = read_polish(options, "value");
  settings.prefix = options.reference("prefix", "");
  for (const auto& key : options.texts("include_keys"))
    settings.include_keys.push_back(options.as_reference("include_keys", key));
  for (const auto& key : options.texts("exclude_keys"))
    settings.exclude_keys.push_back(options.as_reference("exclude_keys", key));
  settings.default_keys = options.hash("default_keys");
  settings.allow_duplicate_values = options.boolean("allow_duplicate_values", true);
  settings.allow_empty_values = options.boolean("allow_empty_values", false);
  settings.recursive = options.boolean("recursive", false);
  settings.tag_on_failure = options.texts("tag_on_failure", {"_kv_filter_error"});
  std::vector<PairScanner> scanners;
  const bool strict = options.choice("whitespace", kSpaces, "lenient") == "strict";
  const bool brackets = options.boolean("include_brackets", true);
  for (int level = 0; level < (settings.recursive ? kRecursionMax : 1) && !options.failed(); ++level) {
    PairScanner::Options how{.fields = read_splitter(options, "field_split", " "),
                             .values = read_splitter(options, "value_split", "=")};
    how.strict = strict;
    how.brackets = brackets;
    scanners.emplace_back(std::move(how));
  }
  if (options.failed()) return nullptr;
  return std::make_unique<KeyValue>(std::move(settings), std::move(scanners));
}

}  // namespace

extern const FilterPlugin filter_kv;
const FilterPlugin filter_kv = {"kv", "Finds keys and values in a text.", make};

}  // namespace enclave::pipeline
