#include "pipeline/logstash/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipeline/logstash/condition.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/not_offered.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline::logstash {
namespace {

using Events = std::vector<event::Document>;

/// Why a filter of this kind takes events out.
std::string_view reason_of(std::string_view plugin) {
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"split", "taken apart"}, {"ruby", "cancelled"}, {"csv", "header or empty line"}};
  const auto* const found = std::ranges::find(kReasons, plugin, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kReasons) ? plugin : found->second;
}

/// One filter with what it does on success.
struct Step {
  const Plugin* plugin;
  Place place;
  std::unique_ptr<Filter> filter;
  Decorations decorations;
  FilterCount count;
};

struct Fork;
using Node = std::variant<Step, Fork>;

struct ForkArm {
  std::unique_ptr<Condition> condition;  ///< null: else
  std::vector<Node> nodes;
  Events events;  ///< of the batch at hand; kept for its memory
};
struct Fork {
  std::vector<ForkArm> arms;
  Events others;
};

class RealProgram final : public Program {
 public:
  RealProgram(const Configuration& configuration, const FilterWorld& world, Diagnostics& diagnostics)
      : configuration_(configuration), world_(world), diagnostics_(diagnostics) {}

  bool compile() { return compile(configuration_.filters, nodes_); }

  void run(Events& events, FilterRun& run) override { run_all(nodes_, events, run); }

  std::vector<FilterCount> counts() const override {
    std::vector<FilterCount> all;
    gather(nodes_, all);
    return all;
  }

  void measure(Clock& clock) override { clock_ = &clock; }

  void watch(Watch watch) override { watch_ = std::move(watch); }

 private:
  bool compile(const std::vector<Item>& items, std::vector<Node>& into) {
    bool good = true;
    for (const Item& item : items) {
      if (const auto* plugin = std::get_if<Plugin>(&item)) {
        good = add_step(*plugin, into) && good;
      } else {
        good = add_fork(std::get<Branch>(item), into) && good;
      }
    }
    return good;
  }

  bool add_step(const Plugin& plugin, std::vector<Node>& into) {
    const auto all = filter_plugins();
    const auto found = std::ranges::find(all, plugin.name, &FilterPlugin::name);
    PluginOptions options(configuration_, plugin, diagnostics_);
    if (found == all.end()) {
      diagnostics_.error(options.place(), not_offered<FilterPlugin>("filter", plugin.name, all));
      return false;
    }
    const FilterPlugin* const card = *found;
    auto filter = card->make(options, world_);
    Decorations decorations(options);
    const std::string id = options.text("id");
    options.finish();
    if (!filter || options.failed()) return false;
    FilterCount count;
    count.reason = reason_of(plugin.name);
    const Place place = options.place();
    count.name = id.empty() ? fmt::format("{} at {}:{}", plugin.name, place.file, place.line) : id;
    into.emplace_back(Step{&plugin, place, std::move(filter), std::move(decorations), std::move(count)});
    return true;
  }

  bool add_fork(const Branch& branch, std::vector<Node>& into) {
    Fork fork;
    bool good = true;
    for (const Arm& arm : branch.arms) {
      ForkArm made;
      if (arm.condition) made.condition = Condition::compile(*arm.condition, configuration_, diagnostics_);
      good = (made.condition || !arm.condition) && good;
      good = compile(arm.items, made.nodes) && good;
      fork.arms.push_back(std::move(made));
    }
    into.emplace_back(std::move(fork));
    return good;
  }

  void run_all(std::vector<Node>& nodes, Events& events, FilterRun& run) {
    for (Node& node : nodes) {
      if (events.empty()) return;
      if (auto* step = std::get_if<Step>(&node)) {
        run_step(*step, events, run);
      } else {
        run_fork(std::get<Fork>(node), events, run);
      }
    }
  }

  void run_step(Step& step, Events& events, FilterRun& run) {
    const std::int64_t begun = clock_ == nullptr ? 0 : clock_->boot_ns();
    apply(step, events, run);
    if (clock_ != nullptr) step.count.busy_ns += clock_->boot_ns() - begun;
  }

  void apply(Step& step, Events& events, FilterRun& run) {
    bool gone = false;
    for (std::size_t i = 0; i < events.size(); ++i) {
      ++step.count.in;
      run.made.clear();
      const bool succeeded = step.filter->apply(events[i], run);
      if (succeeded) {
        ++step.count.succeeded;
        step.decorations.apply(events[i], run);
      }
      if (watch_) watch_(Passed{*step.plugin, step.place, succeeded}, events[i]);
      gone = gone || events[i].cancelled;
      if (run.made.empty()) continue;
      step.count.made += run.made.size();
      for (auto& made : run.made) made.reading = events[i].reading;
      events.insert(events.begin() + static_cast<std::ptrdiff_t>(i) + 1, run.made.begin(), run.made.end());
      // What a filter made does not pass it again.
      i += run.made.size();
    }
    if (gone) step.count.dropped += std::erase_if(events, [](const auto& event) { return event.cancelled; });
  }

  void run_fork(Fork& fork, Events& events, FilterRun& run) {
    fork.others.clear();
    for (auto& arm : fork.arms) arm.events.clear();
    for (const auto& event : events) {
      const auto arm = std::ranges::find_if(
          fork.arms, [&](const ForkArm& each) { return !each.condition || each.condition->holds(event); });
      (arm == fork.arms.end() ? fork.others : arm->events).push_back(event);
    }
    events.swap(fork.others);
    bool mixed = false;
    for (auto& arm : fork.arms) {
      run_all(arm.nodes, arm.events, run);
      mixed = mixed || !(events.empty() || arm.events.empty());
      events.insert(events.end(), arm.events.begin(), arm.events.end());
    }
    if (mixed) std::ranges::stable_sort(events, {}, &event::Document::reading);
  }

  static void gather(const std::vector<Node>& nodes, std::vector<FilterCount>& all) {
    for (const Node& node : nodes) {
      if (const auto* step = std::get_if<Step>(&node)) {
        all.push_back(step->count);
      } else {
        for (const ForkArm& arm : std::get<Fork>(node).arms) gather(arm.nodes, all);
      }
    }
  }

  const Configuration& configuration_;
  const FilterWorld& world_;
  Diagnostics& diagnostics_;  ///< while compiling only
  std::vector<Node> nodes_;
  Watch watch_;
  Clock* clock_ = nullptr;  ///< null: nothing is measured
};

}  // namespace

std::unique_ptr<Program> Program::compile(const Configuration& configuration, const FilterWorld& world,
                                          Diagnostics& diagnostics) {
  auto program = std::make_unique<RealProgram>(configuration, world, diagnostics);
  if (!program->compile()) return nullptr;
  return program;
}

}  // namespace enclave::pipeline::logstash
