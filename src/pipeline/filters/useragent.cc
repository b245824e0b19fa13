#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/files.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/user_agent.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::uint64_t kRulesBytesMax = 8 << 20;
constexpr std::size_t kTextBytesMax = 4096;  ///< of a header: what follows is not looked at

/// Where each thing that is known goes.
struct Targets {
  using Field = std::optional<logstash::FieldReference>;
  Field name, version, major, minor, patch, build;
  Field os, os_name, os_full, os_version, os_major, os_minor, os_patch;
  Field device;
};

std::string joined(const UserAgent::Version& version) {
  std::string out = version.major;
  for (const std::string* part : {&version.minor, &version.patch, &version.build}) {
    if (part->empty()) break;
    out += "." + *part;
  }
  return out;
}

/// Tells browsers, programs and systems by their header.
class UserAgentFilter final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source;
    bool replaces_source = false;
    Targets targets = {};
    std::optional<UserAgentRules> rules = {};
    std::size_t cached_max = 1000;
  };
  explicit UserAgentFilter(Settings settings) : settings_(std::move(settings)) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    const Value* value = event.find(settings_.source.segments());
    if (value != nullptr && value->is(Kind::list)) value = value->items().empty() ? nullptr : value->items().data();
    if (value == nullptr || !value->is(Kind::text) || value->text().empty()) return false;
    const UserAgent& agent = look_up(value->text().substr(0, kTextBytesMax));
    if (settings_.replaces_source) event.erase(settings_.source.segments());
    return write(event, agent);
  }

 private:
  /// The same ones come again and again: what was read is kept, and all forgotten when it is too much.
  const UserAgent& look_up(std::string_view text) {
    const std::string key(text);
    if (const auto known = known_.find(key); known != known_.end()) return known->second;
    if (known_.size() >= settings_.cached_max) known_.clear();
    return known_.emplace(key, settings_.rules ? settings_.rules->read(text) : read_user_agent(text)).first->second;
  }

  bool write(event::Document& event, const UserAgent& agent) const {
    bool good = true;
    const auto put = [&](const Targets::Field& field, const std::string& text) {
      if (!field || text.empty()) return;
      good = event.set(field->segments(), Value::of(event.arena().store(text))) && good;
    };
    const Targets& to = settings_.targets;
    put(to.name, agent.name);
    put(to.version, joined(agent.version));
    put(to.major, agent.version.major);
    put(to.minor, agent.version.minor);
    put(to.patch, agent.version.patch);
    put(to.build, agent.version.build);
    const std::string os_version = joined(agent.os_version);
    put(to.os, agent.os);
    put(to.os_name, agent.os);
    put(to.os_full, os_version.empty() ? agent.os : agent.os + " " + os_version);
    put(to.os_version, os_version);
    put(to.os_major, agent.os_version.major);
    put(to.os_minor, agent.os_version.minor);
    put(to.os_patch, agent.os_version.patch);
    put(to.device, agent.device);
    return good;
  }

  Settings settings_;
  std::unordered_map<std::string, UserAgent> known_;
};

Targets old_targets(logstash::PluginOptions& options, const std::string& target, const std::string& prefix) {
  const auto at = [&](std::string_view name) {
    return Targets::Field(options.as_field("target", target + "[" + prefix + std::string(name) + "]"));
  };
  return {.name = at("name"),
          .version = {},
          .major = at("major"),
          .minor = at("minor"),
          .patch = at("patch"),
          .build = at("build"),
          .os = at("os"),
          .os_name = at("os_name"),
          .os_full = at("os_full"),
          .os_version = {},
          .os_major = at("os_major"),
          .os_minor = at("os_minor"),
          .os_patch = at("os_patch"),
          .device = at("device")};
}

Targets ecs_targets(logstash::PluginOptions& options, const std::string& target) {
  const auto at = [&](const std::string& path) { return Targets::Field(options.as_field("target", path)); };
  const std::string hidden = "[@metadata][filter][user_agent]";
  return {.name = at(target + "[name]"),
          .version = at(target + "[version]"),
          .major = at(hidden + "[version][major]"),
          .minor = at(hidden + "[version][minor]"),
          .patch = at(hidden + "[version][patch]"),
          .build = {},
          .os = {},
          .os_name = at(target + "[os][name]"),
          .os_full = at(target + "[os][full]"),
          .os_version = at(target + "[os][version]"),
          .os_major = at(hidden + "[os][version][major]"),
          .os_minor = at(hidden + "[os][version][minor]"),
          .os_patch = at(hidden + "[os][version][patch]"),
          .device = at(target + "[device][name]")};
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  const bool ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  if (!options.has("source")) options.mistake("source", "the field to read is wanted: source => \"agent\"");
  UserAgentFilter::Settings settings{.source = options.field("source", "agent")};
  const auto target = options.field_if_set("target");
  const std::string prefix = options.text("prefix");
  settings.replaces_source = target && *target == settings.source;
  settings.cached_max = static_cast<std::size_t>(options.number("lru_cache_size", 1000, 1, 100'000'000));
  // A header may have 4 KiB and the memory of a cache is nobody's wish.
  settings.cached_max = std::min<std::size_t>(settings.cached_max, 10'000);
  const std::string below = target ? target->text() : ecs ? "[user_agent]" : "";
  settings.targets = ecs ? ecs_targets(options, below) : old_targets(options, below, prefix);
  if (ecs && !prefix.empty()) options.warning("prefix", "with ECS the names are fixed, so it has no effect");
  if (const auto path = options.text_if_set("regexes")) {
    const auto yaml = read_file(world.files, *path, kRulesBytesMax);
    if (!yaml) {
      options.mistake("regexes", yaml.error().text());
    } else if (auto rules = UserAgentRules::parse(*yaml, *path)) {
      settings.rules = std::move(*rules);
    } else {
      options.mistake("regexes", rules.error().text());
    }
  }
  if (options.failed()) return nullptr;
  return std::make_unique<UserAgentFilter>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_useragent;
const FilterPlugin filter_useragent = {"useragent", "Tells browsers, programs and systems by their header.", make};

}  // namespace enclave::pipeline
