#include "pipeline/flow/router.h"

#include <algorithm>

namespace enclave::pipeline {

class Router::Compiler {
 public:
  Compiler(const logstash::Configuration& configuration, std::span<const RouteTarget> targets, Diagnostics& diagnostics)
      : configuration_(configuration), targets_(targets), diagnostics_(diagnostics) {}

  bool compile(const std::vector<logstash::Item>& items, std::vector<Node>& into) {
    bool good = true;
    for (const auto& item : items) {
      if (std::holds_alternative<logstash::Plugin>(item)) {
        into.emplace_back(targets_[next_++]);
        continue;
      }
      Fork fork;
      for (const auto& arm : std::get<logstash::Branch>(item).arms) {
        Arm made;
        if (arm.condition) made.condition = logstash::Condition::compile(*arm.condition, configuration_, diagnostics_);
        good = (made.condition || !arm.condition) && good;
        good = compile(arm.items, made.nodes) && good;
        fork.arms.push_back(std::move(made));
      }
      into.emplace_back(std::move(fork));
    }
    return good;
  }

 private:
  const logstash::Configuration& configuration_;
  std::span<const RouteTarget> targets_;
  Diagnostics& diagnostics_;
  std::size_t next_ = 0;
};

std::unique_ptr<Router> Router::compile(const logstash::Configuration& configuration,
                                        std::span<const RouteTarget> targets, Diagnostics& diagnostics) {
  auto router = std::make_unique<Router>();
  if (configuration.outputs.empty()) {
    for (const auto& target : targets) router->nodes_.emplace_back(target);
    return router;
  }
  if (!Compiler(configuration, targets, diagnostics).compile(configuration.outputs, router->nodes_)) return nullptr;
  return router;
}

bool Router::alike() const {
  return std::ranges::all_of(nodes_, [](const Node& node) {
    const auto* target = std::get_if<RouteTarget>(&node);
    return target != nullptr && !target->is_pipeline;
  });
}

void Router::route(const std::vector<event::Document>& events, Routed& routed, std::vector<Onward>& onward) {
  route(nodes_, events, routed, onward);
}

void Router::route(std::vector<Node>& nodes, const std::vector<event::Document>& events, Routed& routed,
                   std::vector<Onward>& onward) {
  if (events.empty()) return;
  for (Node& node : nodes) {
    if (const auto* target = std::get_if<RouteTarget>(&node)) {
      if (!target->is_pipeline) {
        auto& list = routed[target->output];
        list.insert(list.end(), events.begin(), events.end());
        continue;
      }
      for (const std::size_t member : target->members) {
        Onward& next = onward.emplace_back(Onward{member, {}});
        next.events.reserve(events.size());
        for (const auto& event : events) {
          auto& copy = next.events.emplace_back(event.copy());
          copy.reading = event.reading;
        }
      }
      continue;
    }
    auto& fork = std::get<Fork>(node);
    for (Arm& arm : fork.arms) arm.events.clear();
    for (const auto& event : events) {
      const auto arm = std::ranges::find_if(
          fork.arms, [&](const Arm& each) { return !each.condition || each.condition->holds(event); });
      if (arm != fork.arms.end()) arm->events.push_back(event);
    }
    for (Arm& arm : fork.arms) route(arm.nodes, arm.events, routed, onward);
  }
}

}  // namespace enclave::pipeline
