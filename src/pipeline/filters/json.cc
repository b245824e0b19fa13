#include <optional>

#include "pipeline/filter.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Reads JSON from a text.
class Json final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source;
    std::optional<logstash::FieldReference> target;
    bool skip_on_invalid_json = false;
    std::vector<std::string> tag_on_failure;
  };
  explicit Json(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const Value* const value = event.find(settings_.source.segments());
    if (value == nullptr || value->is(Kind::null) || (value->is(Kind::boolean) && !value->boolean())) return false;
    run.scratch.clear();
    if (!value->is(Kind::text)) append_text(*value, run.scratch);
    const auto read = run.json.read(value->is(Kind::text) ? value->text() : run.scratch, event.arena());
    if (!read) {
      return settings_.skip_on_invalid_json ? false : fail(event);
    }
    if (settings_.target) return event.set(settings_.target->segments(), *read) || fail(event);
    if (!read->is(Kind::map)) return fail(event);
    for (const event::Member& member : read->members())
      if (member.name != event::kTimeField) event.set(member.name, member.value);
    if (const Value* const time = read->find(event::kTimeField); time != nullptr && !time->is(Kind::null))
      set_time(*time, event, run);
    return true;
  }

 private:
  bool fail(event::Document& event) const {
    for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return false;
  }

  /// A time that cannot be read goes to "_@timestamp", and the event is of now.
  static void set_time(const Value& time, event::Document& event, FilterRun& run) {
    static const logstash::Timezone kUtc = logstash::Timezone::utc();
    if (time.is(Kind::text))
      if (const auto wall_ns = logstash::parse_iso8601(time.text(), kUtc)) return event.set_wall_ns(*wall_ns);
    event.set_wall_ns(run.now_ns);
    event.tag("_timestampparsefailure");
    run.scratch.clear();
    append_text(time, run.scratch);
    event.set("_@timestamp", Value::of(event.arena().store(run.scratch)));
  }

  Settings settings_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  if (!options.has("source")) options.mistake("source", "the field to read is wanted: source => \"message\"");
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  options.choice("ecs_compatibility", kModes, "v8");
  Json::Settings settings{.source = options.field("source", "message"),
                          .target = options.field_if_set("target"),
                          .skip_on_invalid_json = options.boolean("skip_on_invalid_json", false),
                          .tag_on_failure = options.texts("tag_on_failure", {"_jsonparsefailure"})};
  if (options.failed()) return nullptr;
  return std::make_unique<Json>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_json;
const FilterPlugin filter_json = {"json", "Reads JSON from a text into fields.", make};

}  // namespace enclave::pipeline
