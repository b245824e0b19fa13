#include <algorithm>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Takes fields out of the event by patterns on their names and values. Only fields of the first level.
class Prune final : public Filter {
 public:
  std::vector<Regex> keep_names, drop_names;
  std::vector<std::pair<std::string, Regex>> keep_values, drop_values;
  bool keeps_names = false;

  bool apply(event::Document& event, FilterRun& run) override {
    std::vector<std::string_view> gone;
    for (const auto& member : event.root().members())
      if (goes(member, run)) gone.push_back(member.name);
    for (const auto name : gone) event.erase(name);
    return true;
  }

 private:
  static bool any(const std::vector<Regex>& patterns, std::string_view text) {
    return std::ranges::any_of(patterns, [&](const Regex& one) { return one.search(text) == Regex::Outcome::yes; });
  }
  static bool matches(const Regex& pattern, const Value& value, std::string& scratch) {
    if (value.is(Kind::list))
      return std::ranges::any_of(value.items(), [&](const Value& one) { return matches(pattern, one, scratch); });
    scratch.clear();
    event::append_text(value, scratch);
    return pattern.search(scratch) == Regex::Outcome::yes;
  }
  bool goes(const event::Member& member, FilterRun& run) const {
    if (member.name == event::kMetadataField) return false;
    if (keeps_names && !any(keep_names, member.name)) return true;
    if (any(drop_names, member.name)) return true;
    for (const auto& [name, pattern] : keep_values)
      if (name == member.name && !matches(pattern, member.value, run.scratch)) return true;
    return std::ranges::any_of(drop_values, [&](const auto& each) {
      return each.first == member.name && matches(each.second, member.value, run.scratch);
    });
  }
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  auto prune = std::make_unique<Prune>();
  options.ignored("interpolate", "is without effect here: the patterns are taken as they stand");
  const auto regex = [&](std::string_view option, const std::string& pattern) -> std::optional<Regex> {
    auto compiled = compile_ruby(pattern);
    if (compiled) return std::move(*compiled);
    options.mistake(option, compiled.error().text());
    return std::nullopt;
  };
  const auto names = [&](std::string_view option, std::vector<std::string> otherwise, std::vector<Regex>& into) {
    for (const auto& pattern : options.texts(option, std::move(otherwise)))
      if (auto one = regex(option, pattern)) into.push_back(std::move(*one));
  };
  const auto values = [&](std::string_view option, std::vector<std::pair<std::string, Regex>>& into) {
    for (const auto& [name, pattern] : options.pairs(option))
      if (auto one = regex(option, pattern)) into.emplace_back(name, std::move(*one));
  };
  prune->keeps_names = options.has("whitelist_names");
  names("whitelist_names", {}, prune->keep_names);
  names("blacklist_names", {"%\\{[^}]+\\}"}, prune->drop_names);
  values("whitelist_values", prune->keep_values);
  values("blacklist_values", prune->drop_values);
  return prune;
}

}  // namespace

extern const FilterPlugin filter_prune;
const FilterPlugin filter_prune = {"prune", "Takes fields out of events by patterns on their names and values.", make};

}  // namespace enclave::pipeline
