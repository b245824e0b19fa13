#include <algorithm>
#include <span>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Path;
using event::Value;

constexpr std::size_t kNestedMax = 100;  ///< names that dots make of one: more stay as they are

/// Renames fields whose names have dots.
class DeDot final : public Filter {
 public:
  struct Settings {
    std::string separator;
    bool nested = false, recursive = false;
    std::vector<logstash::FieldReference> fields;
    bool all = false;
  };
  explicit DeDot(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    path_.clear();
    if (settings_.all) {
      rename_members(event, event.root(), 0);
      return true;
    }
    for (const auto& field : settings_.fields) {
      const auto& segments = field.segments();
      Value* const value = event.find(segments);
      if (value == nullptr) continue;
      if (settings_.recursive) {
        path_.assign(segments.begin(), segments.end());
        rename_members(event, *value, 0);
      }
      path_.assign(segments.begin(), segments.end());
      rename(event, 0);
    }
    return true;
  }

 private:
  /// All members of `map`, which path_ leads to.
  void rename_members(event::Document& event, const Value& map, std::size_t depth) {
    if (!map.is(Kind::map) || depth > event::kValueDepthMax) return;
    const auto dotted = [this](const event::Member& member) {
      return member.name.find('.') != std::string_view::npos || (settings_.recursive && member.value.is(Kind::map));
    };
    if (std::ranges::none_of(map.members(), dotted)) return;
    // Renaming changes the members, and what it makes is done already.
    std::vector<std::string_view> names;
    for (const event::Member& member : map.members())
      if (dotted(member)) names.push_back(member.name);
    for (const std::string_view name : names) {
      path_.push_back({.name = std::string(name)});
      const Value* const value = map.find(name);
      if (settings_.recursive && value != nullptr) rename_members(event, *value, depth + 1);
      const auto kept = path_;
      rename(event, path_.size() - 1);
      path_.assign(kept.begin(), kept.end() - 1);
    }
  }

  /// The field at path_: each name with a dot in it, from segment `from` on.
  void rename(event::Document& event, std::size_t from) {
    std::vector<event::PathSegment> renamed(path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(from));
    for (const auto& segment : std::span(path_).subspan(from)) append_renamed(segment, renamed);
    if (renamed == path_) return;
    const Value value = *event.find(path_);
    // Set first: where something stands in the way, the field stays as it is.
    if (!event.set(renamed, value)) return event.tag("_de_dot_failure");
    if (!is_prefix(path_, renamed)) event.erase(path_);
  }

  static bool is_prefix(Path path, Path of) {
    return path.size() <= of.size() && std::ranges::equal(path, of.first(path.size()));
  }

  void append_renamed(const event::PathSegment& segment, std::vector<event::PathSegment>& out) const {
    const std::string& name = segment.name;
    const auto dots = static_cast<std::size_t>(std::ranges::count(name, '.'));
    if (dots == 0 || (settings_.nested && dots > kNestedMax)) return out.push_back(segment);
    if (!settings_.nested) {
      event::PathSegment renamed;
      for (const char c : name) c == '.' ? void(renamed.name += settings_.separator) : void(renamed.name += c);
      return out.push_back(std::move(renamed));
    }
    const std::size_t before = out.size();
    for (std::size_t at = 0; at <= name.size();) {
      const std::size_t dot = std::min(name.find('.', at), name.size());
      if (dot > at) out.push_back({.name = name.substr(at, dot - at)});
      at = dot + 1;
    }
    if (out.size() == before) out.push_back(segment);  // nothing but dots
  }

  Settings settings_;
  std::vector<event::PathSegment> path_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  DeDot::Settings settings{.separator = options.text("separator", "_"),
                           .nested = options.boolean("nested", false),
                           .recursive = options.boolean("recursive", false),
                           .fields = options.fields("fields"),
                           .all = !options.has("fields")};
  if (settings.separator.find('.') != std::string::npos)
    options.mistake("separator", "it has a dot itself, so nothing would change");
  if (options.failed()) return nullptr;
  return std::make_unique<DeDot>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_de_dot;
const FilterPlugin filter_de_dot = {"de_dot", "Renames fields whose names have dots.", make};

}  // namespace enclave::pipeline
