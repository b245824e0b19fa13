#include "control/control.h"

#include <algorithm>
#include <array>

namespace enclave::control {

const Fact* Facts::find(std::string_view name) const {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Fact& fact) { return fact.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string_view Facts::value(std::string_view name) const {
  const Fact* found = find(name);
  return found == nullptr ? std::string_view() : std::string_view(found->value);
}

std::vector<const Control*> in_order(std::span<const Control* const> controls) {
  std::vector<const Control*> order;
  const auto placed = [&](std::string_view id) {
    return std::any_of(order.begin(), order.end(), [&](const Control* one) { return one->id == id; });
  };
  for (const Control* control : controls)
    for (const std::string_view id : control->after)
      ENSURE(std::any_of(controls.begin(), controls.end(), [&](const Control* other) { return other->id == id; }));
  // Each time the first that can go: otherwise the order is that of the list.
  while (order.size() < controls.size()) {
    const auto next = std::find_if(controls.begin(), controls.end(), [&](const Control* control) {
      return !placed(control->id) && std::all_of(control->after.begin(), control->after.end(), placed);
    });
    ENSURE(next != controls.end());
    order.push_back(*next);
  }
  return order;
}

std::string_view name_of(Severity severity) {
  constexpr std::array<std::string_view, 4> kNames = {"low", "medium", "high", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

std::string_view name_of(State state) {
  constexpr std::array<std::string_view, 5> kNames = {"pass", "fail", "inconclusive", "not_applicable", "waived"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace enclave::control
