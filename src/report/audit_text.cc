#include <algorithm>
#include <array>

#include "report/control_report.h"
#include "report/layout.h"

namespace enclave::report {
namespace {

using control::Audited;
using control::State;
using control::Trial;

constexpr std::string_view kIndent = "            ";

std::string_view word_of(const Audited& one) {
  if (one.state == State::pass && one.skipped) return "examined";
  constexpr std::array<std::string_view, 5> kWords = {"pass", "FAIL", "inconclusive", "not applicable", "waived"};
  return kWords[static_cast<std::size_t>(one.state)];
}

std::string table(const std::vector<Audited>& all) {
  std::size_t width = 7;
  for (const Audited& one : all) width = std::max(width, one.item.control->id.size());
  std::string out = fmt::format("{:<14}  {:<8}  {:<{}}  {}\n", "STATE", "SEVERITY", "CONTROL", width, "SUBJECT");
  for (const Audited& one : all) {
    const std::string head = fmt::format("{:<14}  {:<8}  {:<{}}", word_of(one), name_of(one.item.control->severity),
                                         one.item.control->id, width);
    const std::string subject = printable(one.item.subject.name);
    const bool fits = head.size() + 2 + width_of(subject) <= kColumns;
    out += fits ? fmt::format("{}  {}\n", head, subject)
                : fmt::format("{}\n{:>{}}\n", head.substr(0, head.find_last_not_of(' ') + 1), subject, kColumns);
  }
  return out;
}

void add(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out += wrapped(text, fmt::format("  {:<9} ", name), kIndent);
}

void add_trial(std::string& out, const Trial& trial) {
  add(out, "tried", trial.tried);
  out += wrapped(fmt::format("{}: expected {}, found {}", name_of(trial.state), trial.expected, trial.found), kIndent,
                 kIndent);
}

void add_details(std::string& out, const Audited& one) {
  const auto& item = one.item;
  out += "\n" + wrapped(fmt::format("{}: {} on {}", word_of(one), item.control->id, item.subject.name), "", "  ");
  out += wrapped(item.control->title, "  ", "  ");
  add(out, "expected", item.finding.expected);
  add(out, "found", item.finding.found);
  for (const Trial& trial : one.trials)
    if (trial.state != State::pass) add_trial(out, trial);
  if (item.waiver != nullptr) add(out, "waived", fmt::format("until {}: {}", item.waiver->until, item.waiver->reason));
  if (item.expired_waiver != nullptr)
    add(out, "waiver",
        fmt::format("ended with {} and does not count: {}", item.expired_waiver->until, item.expired_waiver->reason));
  add(out, "why", item.control->why);
  add(out, "remedy",
      !item.finding.remedy.empty() ? item.finding.remedy
      : !item.steps.empty()        ? std::string("enclave apply does it; enclave plan shows how.")
                                   : std::string());
  std::string standards;
  for (const auto& standard : item.control->standards)
    standards += fmt::format("{}{} {}", standards.empty() ? "" : "; ", standard.name, standard.id);
  add(out, "standards", standards);
}

std::string verdict(const std::vector<Audited>& all, std::string_view target) {
  const auto count = [&](State state) {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const Audited& one) { return one.state == state; }));
  };
  const std::size_t skipped = static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [](const Audited& one) { return one.state == State::pass && one.skipped; }));
  if (all.size() == count(State::not_applicable))
    return fmt::format("NOTHING TO AUDIT: no control applies to {}.", target);
  const int status = exit_status(all);
  std::string out = status == 2 ? "FAIL" : status == 4 ? "INCONCLUSIVE" : skipped > 0 ? "EXAMINED" : "PASS";
  out += fmt::format(": {} in {}", counted(all.size(), "check"), target);
  const auto add_count = [&](std::size_t number, std::string_view what) {
    if (number > 0) out += fmt::format(", {} {}", number, what);
  };
  add_count(count(State::fail), "failed");
  add_count(count(State::inconclusive), "inconclusive");
  add_count(count(State::waived), "waived");
  add_count(count(State::pass) - skipped, "passed");
  add_count(skipped, "examined but not tried");
  add_count(count(State::not_applicable), "not applicable");
  return out + ".";
}

}  // namespace

std::string audit_text(const std::vector<Audited>& all, std::string_view target) {
  std::string out;
  if (!all.empty()) out = table(all);
  for (const Audited& one : all)
    if (one.state != State::pass && one.state != State::not_applicable) add_details(out, one);
  if (!out.empty()) out += "\n";
  return out + wrapped(verdict(all, target), "", "");
}

}  // namespace enclave::report
