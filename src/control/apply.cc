#include <algorithm>
#include <array>

#include "control/observe.h"

namespace enclave::control {
namespace {

/// The run so far: done[i] belongs to plan.items[i].
struct Work {
  Reach& reach;
  const Scope& scope;
  const Plan& plan;
  UndoJournal& journal;
  std::vector<AppliedItem> done;
};

/// Why the item, which others need, is not in force; empty: it is.
std::string_view obstacle(const AppliedItem& applied) {
  switch (applied.outcome) {
    case Outcome::unchanged:
    case Outcome::done:
    case Outcome::waived:
      return applied.item.selected || applied.promised.empty() ? "" : "is to be changed first, and is left out here";
    case Outcome::needs_user:
      return applied.item.finding.state == State::fail ? "fails" : "is inconclusive";
    case Outcome::blocked:
    case Outcome::unplanned:
      return "was not done";
    case Outcome::unobserved:
      return "could not be observed";
    case Outcome::failed:
      return "could not be done";
    case Outcome::broken:
      return "did not come out as planned";
  }
  return "";
}

std::string blocked_by(const Work& work, std::size_t index) {
  for (const std::size_t before : needed_by(work.plan.items, index)) {
    const std::string_view reason = obstacle(work.done[before]);
    if (!reason.empty()) return fmt::format("{} {}", label(work.plan.items[before], work.plan.items[index]), reason);
  }
  return "";
}

/// Whether what it depends on was changed in this run: then what was observed before says little.
bool has_news(const Work& work, std::size_t index) {
  const auto needed = needed_by(work.plan.items, index);
  return std::any_of(needed.begin(), needed.end(),
                     [&](std::size_t before) { return !work.done[before].changes.empty(); });
}

bool is_promised(const Step& step, const std::vector<Step>& promised) {
  return std::any_of(promised.begin(), promised.end(), [&](const Step& other) { return other.what == step.what; });
}

std::string list_of(const std::vector<Step>& steps) {
  std::string out;
  for (const Step& step : steps) out += (out.empty() ? "" : "; ") + step.what;
  return out;
}

Outcome settled(const Item& item) { return item.in_force() ? Outcome::unchanged : Outcome::needs_user; }

/// Looks again at what was changed, and compares.
void compare(Work& work, AppliedItem& applied, bool needed_user) {
  Item& now = applied.item;
  tell(work.scope, "checking", now);
  observe(work.reach, now);
  applied.outcome = Outcome::broken;
  if (!now.trouble.empty()) {
    applied.text = fmt::format("was changed and could not be observed afterwards: {}", now.trouble);
  } else if (!now.steps.empty()) {
    applied.text = fmt::format("was changed without an error, and this is still to be done: {}", list_of(now.steps));
  } else if (!now.in_force() && !needed_user) {
    applied.text = fmt::format("was changed without an error, and {}: {}",
                               now.finding.state == State::fail ? "still fails" : "is still inconclusive",
                               now.finding.found.empty() ? "no reason is known" : now.finding.found);
  } else {
    applied.outcome = Outcome::done;
  }
}

void enforce(Work& work, AppliedItem& applied) {
  const Item& item = applied.item;
  tell(work.scope, "enforcing", item);
  std::optional<Error> not_kept;
  const Keep keep = [&](const Change& change) -> Result<void> {
    auto kept = not_kept ? Result<void>(Error(*not_kept)) : work.journal.keep(*item.control, item.subject, change);
    if (kept) applied.changes.push_back(change);
    if (!kept && !not_kept) not_kept = kept.error();
    return kept;
  };
  const auto enforced = item.control->enforce(work.reach, item.subject, item.facts, keep);
  if (enforced && !not_kept) return compare(work, applied, !item.finding.remedy.empty());
  applied.outcome = Outcome::failed;
  applied.text = enforced ? not_kept->text() : enforced.error().text();
}

AppliedItem apply_item(Work& work, std::size_t index) {
  AppliedItem applied;
  applied.item = work.plan.items[index];
  Item& item = applied.item;
  applied.promised = item.steps;
  if (!item.selected) {
    applied.outcome = !item.trouble.empty() ? Outcome::unobserved
                      : item.steps.empty()  ? settled(item)
                                            : Outcome::unchanged;
    return applied;
  }
  if (item.waiver != nullptr) {
    applied.outcome = Outcome::waived;
    return applied;
  }
  const bool news = has_news(work, index);
  if (!news && (item.steps.empty() || !item.trouble.empty())) {
    applied.outcome = item.trouble.empty() ? settled(item) : Outcome::unobserved;
    applied.text = item.trouble;
    return applied;
  }
  if (const std::string reason = blocked_by(work, index); !reason.empty()) {
    applied.outcome = Outcome::blocked;
    applied.foreseen = !item.blocked.empty();
    applied.text = reason;
    return applied;
  }
  item.blocked.clear();
  tell(work.scope, "observing", item);
  observe(work.reach, item);
  if (!item.trouble.empty()) {
    applied.outcome = Outcome::unobserved;
    applied.text = item.trouble;
  } else if (item.steps.empty()) {
    applied.outcome = settled(item);
  } else if (!std::all_of(item.steps.begin(), item.steps.end(),
                          [&](const Step& step) { return is_promised(step, applied.promised); })) {
    applied.outcome = Outcome::unplanned;
    applied.text = fmt::format("is not as it was when it was planned; to be done now: {}", list_of(item.steps));
  } else {
    enforce(work, applied);
  }
  return applied;
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, 9> kNames = {"unchanged",  "done",      "waived", "needs_user", "blocked",
                                                      "unobserved", "unplanned", "failed", "broken"};
  return kNames[static_cast<std::size_t>(outcome)];
}

int exit_status(const std::vector<AppliedItem>& items) {
  const auto any = [&](auto is) { return std::any_of(items.begin(), items.end(), is); };
  const auto is = [](Outcome outcome) {
    return [outcome](const AppliedItem& one) { return one.item.selected && one.outcome == outcome; };
  };
  if (any(is(Outcome::failed)) ||
      any([](const AppliedItem& one) { return one.item.selected && one.outcome == Outcome::blocked && !one.foreseen; }))
    return 1;
  if (any(is(Outcome::broken)) || any(is(Outcome::unplanned))) return 2;
  return any(is(Outcome::unobserved)) ? 4 : 0;
}

std::vector<AppliedItem> apply_plan(Reach& reach, const Scope& scope, const Plan& plan, UndoJournal& journal) {
  Work work{reach, scope, plan, journal, {}};
  for (std::size_t i = 0; i < plan.items.size(); ++i) work.done.push_back(apply_item(work, i));
  return std::move(work.done);
}

}  // namespace enclave::control
