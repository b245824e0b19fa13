#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "control/control.h"
#include "control/undo_journal.h"

/// Walks the controls for `plan`, `apply` and `audit`.
namespace enclave::control {

/// Empty: all.
struct Filter {
  Strings controls;  ///< ids
  Strings subjects;  ///< names
};

struct Scope {
  std::span<const Control* const> controls;  ///< in any order
  Filter filter;
  std::function<void(std::string_view)> progress;  ///< told what comes next, one short line; may be empty
};

/// One control on one subject, observed and judged.
struct Item {
  const Control* control = nullptr;
  Subject subject;
  /// False: the filter leaves it out, and it is here because another one depends on it. It is never changed.
  bool selected = true;
  Facts facts;
  Finding finding;      ///< inconclusive when there are no facts
  std::string trouble;  ///< why it could not be observed; empty: it was
  std::vector<Step> steps;
  /// Why the steps will not be done: "storage.exists fails". Empty: they will.
  std::string blocked;
  /// In force: it is observed, and left as it is.
  const pipeline::WaiverConfig* waiver = nullptr;
  const pipeline::WaiverConfig* expired_waiver = nullptr;

  bool in_force() const { return finding.state == State::pass || finding.state == State::not_applicable; }
  /// Whether apply would change something.
  bool will_change() const { return selected && !steps.empty() && waiver == nullptr && blocked.empty(); }
  /// Whether something is missing that apply does not do, or not all of it: the finding has the remedy. It counts in no
  /// exit status of plan and apply, and in that of audit.
  bool needs_user() const;
};

/// In the order in which apply works. Items point into the configuration and the controls.
struct Plan {
  std::vector<Item> items;
  bool has_changes() const;
  bool has_unknown() const;  ///< something selected could not be observed
  /// 2: there is something to change; 4: there is not, and something could not be observed; else 0.
  int exit_status() const;
};

/// The items that must be in force before items[index]: those of the controls that it names in `after`, for the same
/// subject, or for all subjects where that control has no such subject.
std::vector<std::size_t> needed_by(const std::vector<Item>& items, std::size_t index);

/// Observes, judges and plans; changes nothing. A control that cannot be observed is an item with its trouble. Fails
/// only with Fault::invalid, when the filter names what is not there; the text begins with "--only" or "--subject".
Result<Plan> make_plan(Reach& reach, const Scope& scope);

enum class Outcome : std::uint8_t {
  unchanged,   ///< was in force
  done,        ///< changed, and in force now
  waived,      ///< left as it is
  needs_user,  ///< not in force, and not for us to change; the finding has the remedy
  blocked,     ///< not tried: what must come before it is not in force
  unobserved,  ///< not tried: could not be observed
  unplanned,   ///< not tried: would be changed in a way that the plan did not say; to be planned again
  failed,      ///< tried; what was changed until the error is kept for undo
  broken,      ///< changed without an error, and yet not what was promised
};
std::string_view name_of(Outcome outcome);

struct AppliedItem {
  Item item;  ///< as it is now: observed again where something was done or has changed
  Outcome outcome = Outcome::unchanged;
  std::string text;             ///< what went wrong
  std::vector<Step> promised;   ///< the plan's steps
  bool foreseen = false;        ///< of blocked: the plan said so
  std::vector<Change> changes;  ///< kept for undo
};

/// Does what the plan promises and nothing else. Goes on where an item fails, but for those that need it.
std::vector<AppliedItem> apply_plan(Reach& reach, const Scope& scope, const Plan& plan, UndoJournal& journal);

/// 1: something could not be done; 2: something did not come out as promised, or is to be planned again; 4: something
/// could not be observed; else 0.
int exit_status(const std::vector<AppliedItem>& items);

struct Audited {
  Item item;
  std::vector<Trial> trials;
  std::string untried;                ///< why nothing was tried; empty when it was
  bool skipped = false;               ///< nothing was tried only because the caller did not want to
  State state = State::inconclusive;  ///< the worst of finding and trials, or waived
};

/// Observes, judges, and with `prove` tries. Nothing is tried on a subject for which a control that comes before does
/// not hold: a bucket that may be somebody else's is left alone. Fails as make_plan() does.
Result<std::vector<Audited>> audit(Reach& reach, const Scope& scope, bool prove);

/// 2: something fails; 4: nothing does, and something is inconclusive; else 0.
int exit_status(const std::vector<Audited>& all);

struct UndoneChange {
  enum class Outcome : std::uint8_t {
    undone,
    impossible,  ///< the plan had said so; counts as settled
    failed,
    held,  ///< a later change of the same subject could not be put back
  };
  KeptChange kept;
  Outcome outcome = Outcome::undone;
  std::string text;
};

/// Puts back what is not undone yet, backwards, and remembers each. Repeating it is harmless. Fault::conflict when the
/// run changed another target than this one.
Result<std::vector<UndoneChange>> undo_run(Reach& reach, const Scope& scope, const AppliedRun& run,
                                           const std::string& directory);

}  // namespace enclave::control
