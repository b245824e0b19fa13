#include <algorithm>

#include "control/observe.h"
#include "control/waivers.h"

namespace enclave::control {
namespace {

bool among(const Strings& wanted, std::string_view name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

Result<void> check_names(std::string_view option, std::string_view noun, const Strings& wanted,
                         std::span<const std::string_view> known) {
  for (const auto& name : wanted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest(name, known);
    return Error{Fault::invalid, "{}: there is no {} \"{}\"{}",
                 option,         noun,
                 name,           near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)};
  }
  return {};
}

Result<void> check_filter(const Filter& filter, const std::vector<Item>& all,
                          std::span<const Control* const> controls) {
  std::vector<std::string_view> ids, subjects;
  for (const Control* control : controls) ids.push_back(control->id);
  for (const Item& item : all) subjects.push_back(item.subject.name);
  TRY(check_names("--only", "control", filter.controls, ids));
  return check_names("--subject", "subject", filter.subjects, subjects);
}

void bound(std::string& evidence) {
  if (evidence.size() > kEvidenceBytesMax) evidence.resize(kEvidenceBytesMax);
}

/// Why `item`, which another one needs, will not be in force after apply; empty: it will be.
std::string_view obstacle(const Item& item) {
  if (item.waiver != nullptr) return "";
  if (!item.trouble.empty()) return "could not be observed";
  if (!item.blocked.empty()) return "is not done either";
  if (!item.steps.empty()) return item.selected ? "" : "is to be changed first, and is left out here";
  if (item.in_force()) return "";
  return item.finding.state == State::fail ? "fails" : "is inconclusive";
}

}  // namespace

std::string label(const Item& other, const Item& from) {
  const bool same = other.subject.kind == from.subject.kind && other.subject.name == from.subject.name;
  return same ? std::string(other.control->id) : fmt::format("{} of {}", other.control->id, other.subject.name);
}

bool Item::needs_user() const {
  if (!selected || !trouble.empty() || waiver != nullptr || in_force()) return false;
  return !finding.remedy.empty() || (steps.empty() && finding.state == State::fail);
}

bool Plan::has_changes() const {
  return std::any_of(items.begin(), items.end(), [](const Item& item) { return item.will_change(); });
}

bool Plan::has_unknown() const {
  return std::any_of(items.begin(), items.end(),
                     [](const Item& item) { return item.selected && !item.trouble.empty(); });
}

int Plan::exit_status() const { return has_changes() ? 2 : has_unknown() ? 4 : 0; }

std::vector<std::size_t> needed_by(const std::vector<Item>& items, std::size_t index) {
  std::vector<std::size_t> needed;
  const Item& item = items[index];
  for (const std::string_view id : item.control->after) {
    std::vector<std::size_t> all, same;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].control->id != id) continue;
      all.push_back(i);
      if (items[i].subject.kind == item.subject.kind && items[i].subject.name == item.subject.name) same.push_back(i);
    }
    const auto& those = same.empty() ? all : same;
    needed.insert(needed.end(), those.begin(), those.end());
  }
  return needed;
}

void tell(const Scope& scope, std::string_view doing, const Item& item) {
  if (scope.progress) scope.progress(fmt::format("{} {} of {}", doing, item.control->id, item.subject.name));
}

Result<std::vector<Item>> items_in(const Reach& reach, const Scope& scope) {
  std::vector<Item> all;
  for (const Control* control : in_order(scope.controls)) {
    for (Subject& subject : control->subjects(reach.config)) {
      Item& item = all.emplace_back();
      item.control = control;
      item.subject = std::move(subject);
      item.selected = among(scope.filter.controls, control->id) && among(scope.filter.subjects, item.subject.name);
    }
  }
  TRY(check_filter(scope.filter, all, scope.controls));
  // What is selected needs what comes before, which stands before it in the list.
  std::vector<bool> wanted(all.size());
  for (std::size_t i = all.size(); i-- > 0;) {
    wanted[i] = wanted[i] || all[i].selected;
    if (!wanted[i]) continue;
    for (const std::size_t before : needed_by(all, i)) wanted[before] = true;
  }
  std::vector<Item> items;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (wanted[i]) items.push_back(std::move(all[i]));
  return items;
}

void observe(Reach& reach, Item& item) {
  const auto waivers = waivers_for(reach.config, item.control->id, item.subject, reach.world.clock.wall_ns());
  item.waiver = waivers.in_force;
  item.expired_waiver = waivers.expired;
  item.facts = {};
  item.finding = {};
  item.steps.clear();
  item.trouble.clear();
  auto facts = item.control->observe(reach, item.subject);
  if (!facts) {
    item.trouble = facts.error().text();
    item.finding.found = item.trouble;
    return;
  }
  item.facts = std::move(*facts);
  for (Fact& fact : item.facts.all) bound(fact.evidence);
  item.finding = item.control->judge(item.facts, reach.config, item.subject);
  bound(item.finding.evidence);
  if (item.finding.state != State::not_applicable)
    item.steps = item.control->plan(item.facts, reach.config, item.subject);
}

Result<Plan> make_plan(Reach& reach, const Scope& scope) {
  Plan plan;
  plan.items = TRY(items_in(reach, scope));
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    Item& item = plan.items[i];
    tell(scope, "observing", item);
    observe(reach, item);
    if (item.steps.empty()) continue;
    for (const std::size_t before : needed_by(plan.items, i)) {
      const std::string_view reason = obstacle(plan.items[before]);
      if (!reason.empty()) item.blocked = fmt::format("{} {}", label(plan.items[before], item), reason);
    }
  }
  return plan;
}

}  // namespace enclave::control
