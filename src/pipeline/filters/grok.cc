#include "pipeline/grok/grok.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "pipeline/filter.h"
#include "pipeline/grok/capture_tree.h"
#include "pipeline/grok/pattern_options.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;
using grok::PatternLibrary;

// A step takes well below a microsecond: a pattern ends long before its time, but never because of an honest line.
constexpr std::uint32_t kStepsPerMilli = 1000;
constexpr std::uint32_t kStepsMost = 1'000'000'000;

/// As Ruby reads a number: as far as the text is one, else 0.
std::int64_t integer_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

double real_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  // "inf" and "nan" are no numbers in a log line.
  const std::size_t digit = text.find_first_of("0123456789.");
  if (digit > 1 || (digit == 1 && text[0] != '-')) return 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// One pattern with the places of its captures.
struct Matcher {
  struct Place {
    std::vector<event::PathSegment> path;
    grok::Grok::Type type;
    std::uint32_t group;
    bool overwrite;
    int direct;  ///< its place in `tree`, or kNone
  };
  grok::Grok grok;
  std::vector<Place> places;
  grok::CaptureTree tree;
};

struct Source {
  logstash::FieldReference field;
  std::vector<Matcher> matchers;
};

struct Settings {
  bool break_on_match = true;
  bool keep_empty_captures = false;
  std::vector<std::string> tag_on_failure;
  std::string tag_on_timeout;
};

/// Takes a text apart by patterns.
class GrokFilter final : public Filter {
 public:
  GrokFilter(std::vector<Source> sources, Settings settings)
      : sources_(std::move(sources)), settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    bool matched = false;
    timed_out_ = false;
    for (Source& source : sources_) {
      matched = match(source, event, run) || matched;
      if (timed_out_) {
        event.tag(settings_.tag_on_timeout);
        return false;
      }
      if (matched && settings_.break_on_match) break;
    }
    if (!matched)
      for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return matched;
  }

 private:
  bool match(Source& source, event::Document& event, FilterRun& run) {
    const Value* const value = event.find(source.field.segments());
    // A field that is not there is an empty text to Logstash too.
    if (value == nullptr || value->is(Kind::null)) return match_text(source, "", event);
    // A copy: captures may move the field.
    const Value input = *value;
    if (!input.is(Kind::list)) return match_text(source, text_of(input, event, run), event);
    bool any = false;
    for (std::size_t i = 0; i < input.items().size() && !timed_out_; ++i) {
      const std::string_view text = text_of(input.items()[i], event, run);
      any = match_text(source, text, event) || any;
    }
    return any;
  }

  static std::string_view text_of(const Value& value, event::Document& event, FilterRun& run) {
    if (value.is(Kind::text)) return value.text();
    run.scratch.clear();
    append_text(value, run.scratch);
    return event.arena().store(run.scratch);
  }

  bool match_text(Source& source, std::string_view text, event::Document& event) {
    bool matched = false;
    for (Matcher& matcher : source.matchers) {
      const auto outcome = matcher.grok.match(text);
      timed_out_ = outcome == grok::Grok::Outcome::limit;
      if (timed_out_) return false;
      matched = outcome == grok::Grok::Outcome::yes;
      if (!matched) continue;
      const bool direct = matcher.tree.begin(event);
      for (const Matcher::Place& place : matcher.places) {
        const std::string_view captured = matcher.grok.group(place.group, text);
        if (captured.empty() && !settings_.keep_empty_captures) continue;
        if (direct && place.direct != grok::CaptureTree::kNone) {
          matcher.tree.put(place.direct, value_of(place, captured), event);
        } else {
          store(place, value_of(place, captured), event);
        }
      }
      if (settings_.break_on_match) break;
    }
    return matched;
  }

  static Value value_of(const Matcher::Place& place, std::string_view text) {
    if (text.data() == nullptr) return {};
    switch (place.type) {
      case grok::Grok::Type::text:
        return Value::of(text);
      case grok::Grok::Type::integer:
        return Value::of(integer_of(text));
      case grok::Grok::Type::real:
        return Value::of(real_of(text));
    }
    return {};
  }

  static void store(const Matcher::Place& place, Value value, event::Document& event) {
    Value* const known = event.find(place.path);
    if (known == nullptr || known->is(Kind::null) || place.overwrite) {
      event.set(place.path, value);
    } else if (known->is(Kind::list)) {
      known->append(event.arena(), value);
    } else if (known->is(Kind::text)) {
      const Value list = Value::list(event.arena());
      list.append(event.arena(), *known);
      list.append(event.arena(), value);
      *known = list;
    }
  }

  std::vector<Source> sources_;
  Settings settings_;
  bool timed_out_ = false;
};

class Maker {
 public:
  Maker(logstash::PluginOptions& options, const FilterWorld& world) : options_(options), world_(world) {}

  std::unique_ptr<Filter> make() {
    Settings settings;
    settings.break_on_match = options_.boolean("break_on_match", true);
    settings.keep_empty_captures = options_.boolean("keep_empty_captures", false);
    settings.tag_on_failure = options_.texts("tag_on_failure", {"_grokparsefailure"});
    settings.tag_on_timeout = options_.text("tag_on_timeout", "_groktimeout");
    overwrite_ = options_.fields("overwrite");
    target_ = options_.field_if_set("target");
    auto sources = read_sources();
    if (options_.failed()) return nullptr;
    return std::make_unique<GrokFilter>(std::move(sources), std::move(settings));
  }

 private:
  std::vector<Source> read_sources() {
    const PatternLibrary library = grok::read_library(options_, world_);
    const auto match = options_.hash("match");
    grok::Grok::Options how;
    how.named_captures_only = options_.boolean("named_captures_only", true);
    how.steps_max = steps(match);
    std::vector<Source> sources;
    for (const auto& [field, patterns] : match) {
      auto reference = options_.as_field("match", field);
      auto found = std::ranges::find(sources, reference, &Source::field);
      if (found == sources.end()) found = sources.insert(found, Source{std::move(reference), {}});
      for (const auto& pattern : patterns) add_matcher(pattern, library, how, found->matchers);
    }
    return sources;
  }

  /// The time that a pattern may take, in steps of the matcher.
  std::uint32_t steps(const std::vector<std::pair<std::string, std::vector<std::string>>>& match) {
    constexpr std::string_view kScopes[] = {"pattern", "event"};
    const auto millis = static_cast<std::uint32_t>(options_.number("timeout_millis", 30'000, 0, 3'600'000));
    const bool shared = options_.choice("timeout_scope", kScopes, "pattern") == "event";
    const std::uint32_t all = millis == 0 ? kStepsMost : std::min(millis, kStepsMost / kStepsPerMilli) * kStepsPerMilli;
    std::size_t patterns = 0;
    for (const auto& [field, some] : match) patterns += some.size();
    return shared ? static_cast<std::uint32_t>(all / std::max<std::size_t>(patterns, 1)) : all;
  }

  void add_matcher(const std::string& pattern, const PatternLibrary& library, const grok::Grok::Options& how,
                   std::vector<Matcher>& into) {
    auto compiled = grok::Grok::compile(pattern, library, how);
    if (!compiled) return options_.mistake("match", compiled.error().text());
    Matcher matcher{std::move(*compiled), {}, {}};
    for (const auto& capture : matcher.grok.captures()) {
      if (!capture.unknown_type.empty())
        options_.warning("match", fmt::format("\"{}\" is no type, so {} stays a text; there are int and float",
                                              capture.unknown_type, capture.field));
      const auto field = options_.as_field("match", capture.field);
      const bool overwrite = std::ranges::find(overwrite_, field) != overwrite_.end();
      std::vector<event::PathSegment> path = field.segments();
      if (target_) path.insert(path.begin(), target_->segments().begin(), target_->segments().end());
      const int direct = matcher.tree.add(path);
      matcher.places.push_back({std::move(path), capture.type, capture.group, overwrite, direct});
    }
    into.push_back(std::move(matcher));
  }

  logstash::PluginOptions& options_;
  const FilterWorld& world_;
  std::vector<logstash::FieldReference> overwrite_;
  std::optional<logstash::FieldReference> target_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  return Maker(options, world).make();
}

}  // namespace

extern const FilterPlugin filter_grok;
const FilterPlugin filter_grok = {"grok", "Takes a text apart by named patterns.", make};

}  // namespace enclave::pipeline
