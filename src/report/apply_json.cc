#include <array>

#include "event/json.h"
#include "event/record.h"
#include "report/control_json.h"
#include "report/control_report.h"

namespace enclave::report {

using control::AppliedItem;
using control::UndoneChange;
using event::json_array;
using event::json_text;

std::string applied_json(const std::vector<AppliedItem>& items, std::uint64_t run, std::string_view target) {
  std::vector<const AppliedItem*> selected;
  std::size_t left = 0;
  for (const AppliedItem& applied : items) {
    if (applied.item.selected) selected.push_back(&applied);
    left += applied.item.needs_user() ? 1 : 0;
  }
  const auto json_of = [](const AppliedItem* one) {
    // How to undo it may hold what others should not read; it stays in the journal.
    const auto what = [](const control::Change& change) { return json_text(change.what); };
    return fmt::format(R"({{{},"outcome":{},"error":{},"state":{},"expected":{},"found":{},"remedy":{},)"
                       R"("needs_user":{},"promised":{},"changed":{}}})",
                       identity_members(one->item), json_text(name_of(one->outcome)), text_or_null(one->text),
                       json_text(name_of(one->item.finding.state)), json_text(one->item.finding.expected),
                       json_text(one->item.finding.found), text_or_null(one->item.finding.remedy),
                       one->item.needs_user(), steps_json(one->promised), json_array(one->changes, what));
  };
  return fmt::format(
      R"({{"format":"enclave-apply/1","target":{},"exit_status":{},"run":{},"left_to_user":{},"items":{}}})"
      "\n",
      json_text(target), exit_status(items), run == 0 ? "null" : std::to_string(run), left,
      json_array(selected, json_of));
}

std::string undone_json(const std::vector<UndoneChange>& changes, std::uint64_t run, int exit_status) {
  const auto json_of = [](const UndoneChange& one) {
    constexpr std::array<std::string_view, 4> kNames = {"undone", "impossible", "failed", "held"};
    return fmt::format(R"({{"control":{},"subject":{{"kind":{},"name":{}}},"what":{},"outcome":{},"error":{}}})",
                       json_text(one.kept.control), json_text(one.kept.subject.kind), json_text(one.kept.subject.name),
                       json_text(one.kept.change.what), json_text(kNames[static_cast<std::size_t>(one.outcome)]),
                       text_or_null(one.text));
  };
  return fmt::format(R"({{"format":"enclave-undone/1","exit_status":{},"run":{},"changes":{}}})"
                     "\n",
                     exit_status, run == 0 ? "null" : std::to_string(run), json_array(changes, json_of));
}

}  // namespace enclave::report
