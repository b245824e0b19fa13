#include "pipeline/flow/logstash_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

#include "pipeline/flow/router.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/not_offered.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Value;
using logstash::PluginOptions;

constexpr std::string_view kPipelinePlugin = "pipeline", kArchivePlugin = "archive";

/// A pipeline as a member of a flow.
struct Member {
  const LogstashPipeline* pipeline = nullptr;
  std::vector<std::string> addresses;             ///< of its `pipeline` inputs
  std::vector<RouteTarget> targets;               ///< of its outputs
  std::vector<std::vector<std::string>> send_to;  ///< of each target; empty: no `pipeline`
};

/// type, tags and fields that an input's options name.
class InputDressing final : public Dressing {
 public:
  explicit InputDressing(PluginOptions& options)
      : type_(options.text("type")), tags_(options.texts("tags")), decorations_(options) {}

  void dress(event::Document& event, FilterRun& run) override {
    if (event.find(event::kVersionField) == nullptr) event.set(event::kVersionField, Value::of(std::string_view("1")));
    if (!type_.empty() && event.find("type") == nullptr) event.set("type", Value::of(std::string_view(type_)));
    for (const auto& tag : tags_) event.tag(tag);
    if (!decorations_.empty()) decorations_.apply(event, run);
  }
  bool alike() const override { return decorations_.empty(); }

 private:
  std::string type_;
  std::vector<std::string> tags_;
  logstash::Decorations decorations_;
};

/// What the chains of a plan share; it lives as long as the plan's functions.
struct Shared {
  std::vector<Member> members;
  std::vector<std::size_t> member_of_source;
  std::size_t reader = 0;  ///< the member that gets what sources read which the caller adds
};

class LogstashChain final : public Chain {
 public:
  LogstashChain(std::shared_ptr<const Shared> shared, const FilterWorld& world) : shared_(std::move(shared)) {
    Diagnostics none;  // everything was compiled once without a mistake
    for (const Member& member : shared_->members)
      stages_.push_back({logstash::Program::compile(member.pipeline->configuration, world, none),
                         Router::compile(member.pipeline->configuration, member.targets, none)});
  }

  Sent run(std::size_t source, std::vector<event::Document>& events, FilterRun& run, Routed& routed) override {
    const auto& known = shared_->member_of_source;
    return run_member(source < known.size() ? known[source] : shared_->reader, events, run, routed);
  }

  void measure(Clock& clock) override {
    for (const auto& stage : stages_) stage.program->measure(clock);
  }

  std::vector<logstash::FilterCount> counts() const override {
    std::vector<logstash::FilterCount> all;
    for (const auto& stage : stages_) {
      const auto some = stage.program->counts();
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  bool alike() const override {
    return stages_.size() == 1 && stages_[0].program->counts().empty() && stages_[0].router->alike();
  }

 private:
  struct Stage {
    std::unique_ptr<logstash::Program> program;
    std::unique_ptr<Router> router;
  };

  // Pipelines that send in a circle are refused before: the depth is at most their number.
  Sent run_member(std::size_t member, std::vector<event::Document>& events, FilterRun& run, Routed& routed) {
    stages_[member].program->run(events, run);
    std::vector<Router::Onward> onward;
    Sent sent = stages_[member].router->route(events, routed, onward);
    for (auto& next : onward) sent += run_member(next.member, next.events, run, routed);
    return sent;
  }

  std::shared_ptr<const Shared> shared_;
  std::vector<Stage> stages_;
};

void write_recipe(const logstash::Plugin& plugin, std::string& into);

/// With lengths, so that two that differ never read alike.
void write_recipe(const logstash::Value& value, std::string& into) {
  if (const auto* array = std::get_if<logstash::Array>(&value.data)) {
    fmt::format_to(std::back_inserter(into), "[{} ", array->items.size());
    for (const auto& item : array->items) write_recipe(item, into);
  } else if (const auto* hash = std::get_if<logstash::Hash>(&value.data)) {
    fmt::format_to(std::back_inserter(into), "{{{} ", hash->entries.size());
    for (const auto& entry : hash->entries) write_recipe(entry.key, into), write_recipe(entry.value, into);
  } else if (const auto* plugin = std::get_if<std::unique_ptr<logstash::Plugin>>(&value.data)) {
    write_recipe(**plugin, into);
  } else if (const std::string* text = logstash::text_of(value)) {
    fmt::format_to(std::back_inserter(into), "{}:{} ", text->size(), *text);
  }
}

void write_recipe(const logstash::Plugin& plugin, std::string& into) {
  fmt::format_to(std::back_inserter(into), "{}({} ", plugin.name, plugin.attributes.size());
  for (const auto& attribute : plugin.attributes) {
    fmt::format_to(std::back_inserter(into), "{}=", attribute.name);
    write_recipe(attribute.value, into);
  }
}

/// What an input is made from.
std::string recipe_of(const LogstashPipeline& pipeline, const logstash::Plugin& plugin, const FilterWorld& world) {
  const auto& settings = pipeline.settings;
  std::string recipe =
      fmt::format("{} {} {} ", world.ecs_compatibility, settings.support_escapes, settings.escape_style);
  write_recipe(plugin, recipe);
  return recipe;
}

template <class Card>
const Card* find_card(std::span<const Card* const> all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &Card::name);
  return found == all.end() ? nullptr : *found;
}

class Planner {
 public:
  Planner(const std::vector<LogstashPipeline>& pipelines, const FilterWorld& world, Diagnostics& diagnostics)
      : pipelines_(pipelines), world_(world), diagnostics_(diagnostics) {}

  std::vector<LogstashPlan> plan(const std::function<void(std::span<const std::size_t>)>& begins) {
    std::vector<Member> members;
    for (const auto& pipeline : pipelines_) members.push_back(read(pipeline));
    const auto groups = join(members);
    std::vector<LogstashPlan> plans;
    for (const auto& group : groups) {
      if (begins) begins(group);
      plans.push_back(plan_group(members, group));
    }
    if (diagnostics_.has_errors()) plans.clear();
    return plans;
  }

 private:
  /// The addresses a pipeline listens on and sends to; other plugins come later.
  Member read(const LogstashPipeline& pipeline) {
    Member member;
    member.pipeline = &pipeline;
    const auto& configuration = pipeline.configuration;
    for (const auto* plugin : plugins_of(configuration.inputs, &configuration)) {
      if (plugin->name != kPipelinePlugin) continue;
      PluginOptions options(configuration, *plugin, diagnostics_);
      const std::string address = options.text("address");
      if (address.empty()) options.mistake("address", "is wanted: the name that other pipelines send to");
      member.addresses.push_back(address);
    }
    for (const auto* plugin : plugins_of(configuration.outputs, nullptr)) {
      auto& to = member.send_to.emplace_back();
      if (plugin->name != kPipelinePlugin) continue;
      PluginOptions options(configuration, *plugin, diagnostics_);
      to = options.texts("send_to");
      if (to.empty()) options.mistake("send_to", "is wanted: the addresses of pipelines");
      (void)options.boolean("ensure_delivery", true);
      (void)options.text("id");
      options.finish();
    }
    return member;
  }

  /// All plugins of a section, in the order of the file. Inputs stand in no condition; `of` reports those that do.
  std::vector<const logstash::Plugin*> plugins_of(const std::vector<logstash::Item>& items,
                                                  const logstash::Configuration* of) {
    std::vector<const logstash::Plugin*> all;
    for (const auto& item : items) {
      if (const auto* plugin = std::get_if<logstash::Plugin>(&item)) {
        all.push_back(plugin);
        continue;
      }
      const auto& branch = std::get<logstash::Branch>(item);
      if (of != nullptr) diagnostics_.error(of->place(branch.position), "an input cannot stand in a condition");
      for (const auto& arm : branch.arms) {
        const auto below = plugins_of(arm.items, nullptr);
        all.insert(all.end(), below.begin(), below.end());
      }
    }
    return all;
  }

  /// Groups of pipelines that send to each other.
  std::vector<std::vector<std::size_t>> join(const std::vector<Member>& members) {
    std::map<std::string, std::size_t> listeners;
    for (std::size_t i = 0; i < members.size(); ++i)
      for (const auto& address : members[i].addresses)
        if (!listeners.emplace(address, i).second)
          diagnostics_.error({}, fmt::format("two pipelines listen on the address \"{}\"", address));
    std::vector<std::size_t> group(members.size());
    std::iota(group.begin(), group.end(), 0);
    std::vector<std::vector<std::size_t>> next(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (const auto& addresses : members[i].send_to) {
        for (const auto& address : addresses) {
          const auto to = listeners.find(address);
          if (to == listeners.end()) {
            diagnostics_.error({}, fmt::format("pipeline {}: nobody listens on the address \"{}\"",
                                               members[i].pipeline->settings.id, address));
            continue;
          }
          next[i].push_back(to->second);
          const std::size_t from = group[to->second], into = group[i];
          std::ranges::replace(group, from, into);
        }
      }
    }
    refuse_circles(members, next);
    listeners_ = std::move(listeners);
    std::map<std::size_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < members.size(); ++i) groups[group[i]].push_back(i);
    std::vector<std::vector<std::size_t>> all;
    for (auto& [name, some] : groups) all.push_back(std::move(some));
    return all;
  }

  void refuse_circles(const std::vector<Member>& members, const std::vector<std::vector<std::size_t>>& next) {
    enum class Seen : std::uint8_t { no, open, done };
    std::vector<Seen> seen(members.size(), Seen::no);
    for (std::size_t start = 0; start < members.size(); ++start) {
      std::vector<std::pair<std::size_t, std::size_t>> path{{start, 0}};
      if (seen[start] != Seen::no) continue;
      seen[start] = Seen::open;
      while (!path.empty()) {
        auto& [at, edge] = path.back();
        if (edge == next[at].size()) {
          seen[at] = Seen::done;
          path.pop_back();
          continue;
        }
        const std::size_t to = next[at][edge++];
        if (seen[to] == Seen::open) {
          diagnostics_.error({}, fmt::format("pipeline {}: what it sends comes back to pipeline {}",
                                             members[at].pipeline->settings.id, members[to].pipeline->settings.id));
        } else if (seen[to] == Seen::no) {
          seen[to] = Seen::open;
          path.emplace_back(to, 0);
        }
      }
    }
  }

  LogstashPlan plan_group(std::vector<Member>& members, const std::vector<std::size_t>& group) {
    LogstashPlan plan;
    const auto shared = std::make_shared<Shared>();
    plan.members = group;
    plan.flow.id = members[group.front()].pipeline->settings.id;
    std::uint64_t bytes_max = 0;
    for (const std::size_t index : group) {
      const std::size_t place = shared->members.size();
      Member& member = members[index];
      plan.flow.workers = std::max(plan.flow.workers, member.pipeline->settings.workers);
      bytes_max = std::max(bytes_max, member.pipeline->settings.dead_letter_bytes_max.value);
      add_sources(*member.pipeline, plan.flow, place, *shared);
      add_outputs(member, group, plan);
      compile_once(member);
      shared->members.push_back(std::move(member));
    }
    plan.flow.dead_letter_bytes_max = ByteCount{bytes_max};
    const auto reader =
        std::ranges::find_if(shared->members, [](const Member& each) { return each.addresses.empty(); });
    if (reader != shared->members.end()) shared->reader = static_cast<std::size_t>(reader - shared->members.begin());
    plan.flow.chain = [shared, &world = world_] { return std::make_unique<LogstashChain>(shared, world); };
    return plan;
  }

  /// For its mistakes; each worker compiles anew.
  void compile_once(const Member& member) {
    (void)logstash::Program::compile(member.pipeline->configuration, world_, diagnostics_);
    (void)Router::compile(member.pipeline->configuration, member.targets, diagnostics_);
  }

  void add_sources(const LogstashPipeline& pipeline, FlowPlan& flow, std::size_t place, Shared& shared) {
    for (const auto* plugin : plugins_of(pipeline.configuration.inputs, nullptr)) {
      if (plugin->name == kPipelinePlugin) continue;
      PluginOptions options(pipeline.configuration, *plugin, diagnostics_);
      const auto* card = find_card(source_plugins(), plugin->name);
      if (card == nullptr) {
        diagnostics_.error(options.place(),
                           logstash::not_offered<SourcePlugin>("input", plugin->name, source_plugins()));
        continue;
      }
      FlowSource source;
      source.recipe = recipe_of(pipeline, *plugin, world_);
      source.source = card->make(options, world_);
      source.codec = CodecChoice(options, card->codec, world_);
      const InputDressing once(options);
      source.id = options.text("id");
      options.finish();
      if (source.id.empty()) source.id = name_of(options);
      source.dressing = [&configuration = pipeline.configuration, plugin] {
        Diagnostics none;
        PluginOptions again(configuration, *plugin, none);
        return std::make_unique<InputDressing>(again);
      };
      flow.sources.push_back(std::move(source));
      shared.member_of_source.push_back(place);
    }
  }

  static std::string name_of(const PluginOptions& options) {
    const Place place = options.place();
    return fmt::format("{} at {}:{}", options.plugin().name, place.file, place.line);
  }

  void add_outputs(Member& member, const std::vector<std::size_t>& group, LogstashPlan& plan) {
    const auto& configuration = member.pipeline->configuration;
    const auto plugins = plugins_of(configuration.outputs, nullptr);
    if (configuration.outputs.empty()) member.targets.push_back({archive_of(plan), {}, false});
    for (std::size_t i = 0; i < plugins.size(); ++i) {
      RouteTarget target;
      if (plugins[i]->name == kPipelinePlugin) {
        target.is_pipeline = true;
        for (const auto& address : member.send_to[i])
          if (const auto to = listeners_.find(address); to != listeners_.end())
            target.members.push_back(static_cast<std::size_t>(std::ranges::find(group, to->second) - group.begin()));
      } else if (plugins[i]->name == kArchivePlugin) {
        PluginOptions options(configuration, *plugins[i], diagnostics_);
        (void)options.text("id");
        options.finish();
        target.output = archive_of(plan);
      } else {
        target.output = plan.flow.outputs.size();
        add_output(configuration, *plugins[i], plan.flow);
      }
      member.targets.push_back(std::move(target));
    }
  }

  static std::size_t archive_of(LogstashPlan& plan) {
    if (plan.archive == LogstashPlan::kNoArchive) {
      plan.archive = plan.flow.outputs.size();
      plan.flow.outputs.push_back({std::string(kArchivePlugin), nullptr, true});
    }
    return plan.archive;
  }

  void add_output(const logstash::Configuration& configuration, const logstash::Plugin& plugin, FlowPlan& flow) {
    PluginOptions options(configuration, plugin, diagnostics_);
    const auto* card = find_card(output_plugins(), plugin.name);
    if (card == nullptr) {
      diagnostics_.error(options.place(), logstash::not_offered<OutputPlugin>("output", plugin.name, output_plugins()));
      return;
    }
    FlowOutput output;
    output.output = card->make(options, world_);
    output.id = options.text("id");
    (void)options.number("workers", 1, 1, 1000);
    options.finish();
    if (output.id.empty()) output.id = name_of(options);
    flow.outputs.push_back(std::move(output));
  }

  const std::vector<LogstashPipeline>& pipelines_;
  const FilterWorld& world_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::size_t> listeners_;
};

}  // namespace

std::vector<LogstashPlan> plan_logstash(const std::vector<LogstashPipeline>& pipelines, const FilterWorld& world,
                                        Diagnostics& diagnostics,
                                        const std::function<void(std::span<const std::size_t>)>& begins) {
  return Planner(pipelines, world, diagnostics).plan(begins);
}

}  // namespace enclave::pipeline
