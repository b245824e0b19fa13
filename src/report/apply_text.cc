#include <array>
#include <map>

#include "base/time.h"
#include "report/control_report.h"
#include "report/layout.h"
#include "report/left_text.h"

namespace enclave::report {
namespace {

using control::AppliedItem;
using control::KeptChange;
using control::Outcome;
using control::UndoneChange;

std::string_view word_of(Outcome outcome) {
  constexpr std::array<std::string_view, 9> kWords = {"in force", "done",       "waived", "NEEDS YOU",     "NOT DONE",
                                                      "UNKNOWN",  "PLAN AGAIN", "FAILED", "NOT AS PLANNED"};
  return kWords[static_cast<std::size_t>(outcome)];
}

constexpr std::string_view kIndent = "                ";

void add_item(std::string& out, const AppliedItem& applied) {
  const std::string first = fmt::format("{:<16}", word_of(applied.outcome));
  out += wrapped(fmt::format("{} on {}", applied.item.control->id, applied.item.subject.name), first, kIndent);
  if (!applied.text.empty()) out += wrapped(applied.text, kIndent, kIndent);
  if (applied.outcome == Outcome::needs_user || applied.outcome == Outcome::broken) {
    const auto& finding = applied.item.finding;
    if (!finding.found.empty() && applied.text.find(finding.found) == std::string::npos)
      out += wrapped(finding.found, kIndent, kIndent);
    if (!finding.remedy.empty()) out += wrapped(finding.remedy, kIndent, kIndent);
  }
}

std::string what_of(const KeptChange& kept) { return fmt::format("{} ({})", kept.change.what, kept.control); }

}  // namespace

std::string applied_text(const std::vector<AppliedItem>& items, std::uint64_t run) {
  std::string out;
  std::map<Outcome, std::size_t> counts;
  std::size_t changes = 0;
  std::vector<const control::Item*> for_user;
  for (const AppliedItem& applied : items) {
    if (!applied.item.selected) continue;
    if (applied.item.needs_user()) for_user.push_back(&applied.item);
    ++counts[applied.outcome];
    changes += applied.changes.size();
    if (applied.outcome != Outcome::unchanged) add_item(out, applied);
  }
  std::string summary;
  for (const auto& [outcome, count] : counts)
    summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", count, word_of(outcome));
  if (!out.empty()) out += "\n";
  out += wrapped(summary.empty() ? "No control applies." : summary + ".", "", "");
  if (run != 0)
    out += wrapped(fmt::format("{} kept as run {}; enclave apply --undo puts back what was replaced.",
                               counted(changes, "change"), run),
                   "", "");
  return out + left_text(for_user);
}

std::string undo_text(const control::AppliedRun& run) {
  std::size_t left = 0;
  for (const KeptChange& kept : run.changes) left += kept.undone ? 0 : 1;
  std::string out =
      wrapped(fmt::format("Run {} of {} on {}: {} to put back, in this order.", run.number,
                          format_time(run.wall_ns).substr(0, 19) + "Z", run.target, counted(left, "change")),
              "", "");
  for (auto kept = run.changes.rbegin(); kept != run.changes.rend(); ++kept) {
    if (kept->undone) continue;
    out += wrapped(what_of(*kept), "  < ", "    ");
    if (kept->change.undo.empty()) out += "    This cannot be undone and stays.\n";
  }
  return out;
}

std::string undone_text(const std::vector<UndoneChange>& changes, std::uint64_t run) {
  constexpr std::array<std::string_view, 4> kWords = {"undone", "stays", "FAILED", "HELD BACK"};
  std::string out;
  std::size_t undone = 0;
  for (const UndoneChange& change : changes) {
    undone += change.outcome == UndoneChange::Outcome::undone ? 1 : 0;
    out += wrapped(what_of(change.kept), fmt::format("{:<11}", kWords[static_cast<std::size_t>(change.outcome)]),
                   "           ");
    if (!change.text.empty()) out += wrapped(change.text, "           ", "           ");
  }
  return out + fmt::format("\n{} of {} of run {} undone.\n", undone, counted(changes.size(), "change"), run);
}

}  // namespace enclave::report
