#include "pipeline/flow/router.h"

#include <algorithm>
#include <numeric>

namespace enclave::pipeline {
namespace {
constexpr std::uint8_t kToOutput = 1, kOnward = 2;
}

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

Sent Router::route(const std::vector<event::Document>& events, Routed& routed, std::vector<Onward>& onward) {
  marks_.assign(events.size(), 0);
  numbers_.resize(events.size());
  std::iota(numbers_.begin(), numbers_.end(), 0);
  copies_ = 0;
  route(nodes_, events, numbers_, routed, onward);
  Sent sent;
  std::uint64_t only_onward = 0;
  for (const std::uint8_t mark : marks_) {
    sent.out += (mark & kToOutput) != 0 ? 1 : 0;
    sent.unrouted += mark == 0 ? 1 : 0;
    only_onward += mark == kOnward ? 1 : 0;
  }
  // What only goes on is the same event there, however many more there are.
  sent.made = copies_ - only_onward;
  return sent;
}

void Router::mark(const std::vector<std::uint32_t>& numbers, std::uint8_t how) {
  for (const std::uint32_t number : numbers) marks_[number] = static_cast<std::uint8_t>(marks_[number] | how);
}

void Router::route(std::vector<Node>& nodes, const std::vector<event::Document>& events,
                   const std::vector<std::uint32_t>& numbers, Routed& routed, std::vector<Onward>& onward) {
  if (events.empty()) return;
  for (Node& node : nodes) {
    if (const auto* target = std::get_if<RouteTarget>(&node)) {
      if (!target->is_pipeline) {
        auto& list = routed[target->output];
        list.insert(list.end(), events.begin(), events.end());
        mark(numbers, kToOutput);
        continue;
      }
      if (!target->members.empty()) mark(numbers, kOnward);
      copies_ += target->members.size() * events.size();
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
    for (Arm& arm : fork.arms) arm.events.clear(), arm.numbers.clear();
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto& event = events[i];
      const auto arm = std::ranges::find_if(
          fork.arms, [&](const Arm& each) { return !each.condition || each.condition->holds(event); });
      if (arm == fork.arms.end()) continue;
      arm->events.push_back(event);
      arm->numbers.push_back(numbers[i]);
    }
    for (Arm& arm : fork.arms) route(arm.nodes, arm.events, arm.numbers, routed, onward);
  }
}

}  // namespace enclave::pipeline
