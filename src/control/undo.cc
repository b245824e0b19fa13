#include <algorithm>

#include "control/runner.h"

namespace enclave::control {
namespace {

Result<void> undo_change(Reach& reach, const Scope& scope, const KeptChange& kept) {
  const auto found = std::find_if(scope.controls.begin(), scope.controls.end(),
                                  [&](const Control* control) { return control->id == kept.control; });
  if (found == scope.controls.end())
    return Error{Fault::unsupported, "this enclave has no control {}; undo it with the version that made the change",
                 kept.control};
  return (*found)->undo(reach, kept.subject, kept.change);
}

bool holds(const UndoneChange& other, const Subject& subject) {
  using enum UndoneChange::Outcome;
  return (other.outcome == failed || other.outcome == held) && other.kept.subject.kind == subject.kind &&
         other.kept.subject.name == subject.name;
}

}  // namespace

Result<std::vector<UndoneChange>> undo_run(Reach& reach, const Scope& scope, const AppliedRun& run,
                                           const std::string& directory) {
  if (run.target != reach.config.storage.endpoint)
    return Error{Fault::conflict, "run {} changed {}, and the configuration now names {}", run.number, run.target,
                 reach.config.storage.endpoint};
  std::vector<UndoneChange> all;
  for (std::size_t i = run.changes.size(); i-- > 0;) {
    const KeptChange& kept = run.changes[i];
    if (kept.undone) continue;
    UndoneChange undone{kept, UndoneChange::Outcome::undone, ""};
    if (std::any_of(all.begin(), all.end(), [&](const UndoneChange& other) { return holds(other, kept.subject); })) {
      undone.outcome = UndoneChange::Outcome::held;
      undone.text = "a later change could not be undone";
    } else if (kept.change.undo.empty()) {
      undone.outcome = UndoneChange::Outcome::impossible;
    } else {
      if (scope.progress) scope.progress(fmt::format("undoing {} of {}", kept.control, kept.subject.name));
      if (auto done = undo_change(reach, scope, kept); !done) {
        undone.outcome = UndoneChange::Outcome::failed;
        undone.text = done.error().text();
      }
    }
    if (undone.outcome == UndoneChange::Outcome::undone || undone.outcome == UndoneChange::Outcome::impossible) {
      if (auto marked = mark_undone(reach.world.files, directory, run.number, i); !marked) {
        undone.outcome = UndoneChange::Outcome::failed;
        undone.text = "undone, but that could not be written down: " + marked.error().text();
      }
    }
    all.push_back(std::move(undone));
  }
  return all;
}

}  // namespace enclave::control
