#include <set>

#include "report/control_report.h"
#include "report/diff.h"
#include "report/layout.h"
#include "report/left_text.h"

namespace enclave::report {
namespace {

using control::Item;
using control::Plan;
using control::State;
using control::Step;

void add_heading(std::string& out, const Item& item) {
  out += wrapped(fmt::format("{} on {}", item.control->id, item.subject.name), "", "  ");
  out += wrapped(item.control->title, "  ", "  ");
}

void add_step(std::string& out, const Step& step) {
  out += wrapped(step.what, step.before.empty() ? "  + " : step.after.empty() ? "  - " : "  ~ ", "    ");
  for (const DiffLine& line : diff_lines(step.before, step.after)) {
    if (line.mark == '@') {
      out += fmt::format("      … {}\n", line.text);
    } else {
      out += broken(line.text, fmt::format("      {} ", line.mark), "        ");
    }
  }
  if (!step.caution.empty()) out += wrapped(step.caution, "    Caution: ", "      ");
  if (!step.reversible) out += "    This cannot be undone.\n";
}

/// Why nothing is done about an item that is not in force; empty: it is, or something is done.
std::string standing(const Item& item) {
  if (!item.trouble.empty()) return "could not be observed: " + item.trouble;
  if (item.waiver != nullptr)
    return item.in_force() ? "" : fmt::format("waived until {}: {}", item.waiver->until, item.waiver->reason);
  if (!item.blocked.empty()) return "not done, because " + item.blocked;
  if (item.in_force() || !item.steps.empty()) return "";
  return item.finding.state == State::fail ? "fails, and is not for enclave to change" : "could not be told";
}

void add_left(std::string& out, const Item& item) {
  out += wrapped(fmt::format("{} on {}", item.control->id, item.subject.name), "  ", "    ");
  out += wrapped(standing(item), "    ", "    ");
  if (item.expired_waiver != nullptr)
    out += wrapped(fmt::format("The waiver ended with {} and does not count.", item.expired_waiver->until), "    ",
                   "    ");
  if (!item.trouble.empty() || item.waiver != nullptr) return;
  if (!item.finding.found.empty()) out += wrapped(item.finding.found, "    found     ", "              ");
  if (!item.finding.remedy.empty()) out += wrapped(item.finding.remedy, "    remedy    ", "              ");
}

std::string summary(const Plan& plan, std::string_view target) {
  std::size_t steps = 0, final = 0, in_force = 0, not_applicable = 0, all = 0;
  std::set<std::string_view> subjects;
  for (const Item& item : plan.items) {
    if (!item.selected) continue;
    ++all;
    not_applicable += item.finding.state == State::not_applicable ? 1 : 0;
    in_force += item.finding.state == State::pass && item.steps.empty() ? 1 : 0;
    if (!item.will_change()) continue;
    subjects.insert(item.subject.name);
    for (const Step& step : item.steps) final += step.reversible ? 0 : 1;
    steps += item.steps.size();
  }
  if (all == not_applicable) return fmt::format("Nothing to change: no control applies to {}.", target);
  std::string out = "Nothing to change";
  if (steps > 0) out = fmt::format("{} to make on {}", counted(steps, "change"), counted(subjects.size(), "subject"));
  if (final > 0) out += fmt::format(", {} of them cannot be undone", final);
  out += fmt::format("; {} of {} in force", in_force, counted(all - not_applicable, "control"));
  return out + ".";
}

}  // namespace

std::string plan_text(const Plan& plan, std::string_view target) {
  std::string out, left;
  std::vector<const Item*> for_user;
  for (const Item& item : plan.items) {
    if (item.needs_user()) for_user.push_back(&item);
    if (item.will_change()) {
      add_heading(out, item);
      for (const Step& step : item.steps) add_step(out, step);
      if (!item.finding.remedy.empty()) out += wrapped(item.finding.remedy, "    Not all of it: ", "      ");
      out += "\n";
    } else if (item.selected && !standing(item).empty()) {
      add_left(left, item);
    }
  }
  if (!left.empty()) out += "Left as it is\n" + left + "\n";
  return out + wrapped(summary(plan, target), "", "") + left_text(for_user);
}

}  // namespace enclave::report
