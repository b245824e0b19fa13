#include <algorithm>

#include "control/observe.h"

namespace enclave::control {
namespace {

/// fail before inconclusive before pass before not applicable.
int weight_of(State state) {
  switch (state) {
    case State::fail:
      return 3;
    case State::inconclusive:
      return 2;
    case State::pass:
      return 1;
    default:
      return 0;
  }
}

State worst_of(const Finding& finding, const std::vector<Trial>& trials) {
  State worst = finding.state;
  for (const Trial& trial : trials)
    if (weight_of(trial.state) > weight_of(worst)) worst = trial.state;
  return worst;
}

/// Why nothing may be tried: something that this one builds on does not hold.
std::string not_safe(const std::vector<Item>& items, std::size_t index) {
  for (const std::size_t before : needed_by(items, index)) {
    const Item& item = items[before];
    if (item.waiver != nullptr) continue;
    if (!item.trouble.empty()) return fmt::format("{} could not be observed", label(item, items[index]));
    if (item.finding.state == State::fail) return fmt::format("{} fails", label(item, items[index]));
    if (auto deeper = not_safe(items, before); !deeper.empty()) return deeper;
  }
  return "";
}

Trial failed_trial(const Error& error) {
  Trial trial;
  trial.tried = "to prove it";
  trial.expected = "an answer";
  trial.found = error.text();
  return trial;
}

void try_it(Reach& reach, const std::vector<Item>& items, std::size_t index, Audited& audited) {
  const Item& item = items[index];
  if (item.finding.state == State::not_applicable) return;
  if (!item.trouble.empty()) {
    audited.untried = "it could not be observed";
  } else if (item.control->prove == nullptr) {
    audited.untried = "this cannot be tried";
  } else if (audited.untried = not_safe(items, index); audited.untried.empty()) {
    auto trials = item.control->prove(reach, item.subject);
    audited.trials = trials ? std::move(*trials) : std::vector<Trial>{failed_trial(trials.error())};
    for (Trial& trial : audited.trials) trial.evidence.resize(std::min(trial.evidence.size(), kEvidenceBytesMax));
    return;
  }
  // What could be tried and was not is not proven.
  if (item.control->prove != nullptr && item.trouble.empty())
    audited.trials.push_back({"nothing", "a trial", "not tried, because " + audited.untried, State::inconclusive, ""});
}

}  // namespace

int exit_status(const std::vector<Audited>& all) {
  const auto any = [&](State state) {
    return std::any_of(all.begin(), all.end(), [&](const Audited& one) { return one.state == state; });
  };
  return any(State::fail) ? 2 : any(State::inconclusive) ? 4 : 0;
}

Result<std::vector<Audited>> audit(Reach& reach, const Scope& scope, bool prove) {
  auto items = TRY(items_in(reach, scope));
  for (Item& item : items) {
    tell(scope, "observing", item);
    observe(reach, item);
  }
  std::vector<Audited> all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].selected) continue;
    Audited audited;
    audited.skipped = !prove && items[i].control->prove != nullptr;
    if (prove) {
      tell(scope, "trying", items[i]);
      try_it(reach, items, i, audited);
    } else {
      audited.untried = "only reading was asked for";
    }
    audited.state = worst_of(items[i].finding, audited.trials);
    if (items[i].waiver != nullptr && audited.state != State::pass && audited.state != State::not_applicable)
      audited.state = State::waived;
    audited.item = items[i];
    all.push_back(std::move(audited));
  }
  return all;
}

}  // namespace enclave::control
