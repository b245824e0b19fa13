#include "event/json.h"
#include "event/record.h"
#include "report/control_json.h"
#include "report/control_report.h"

namespace enclave::report {

using control::Item;
using event::json_array;
using event::json_text;

std::string plan_json(const control::Plan& plan, std::string_view target) {
  std::vector<const Item*> items;
  std::size_t changes = 0, left = 0;
  for (const Item& item : plan.items) {
    if (item.selected) items.push_back(&item);
    if (item.will_change()) changes += item.steps.size();
    left += item.needs_user() ? 1 : 0;
  }
  const auto json_of = [](const Item* item) {
    return fmt::format(
        R"({{{},"state":{},"expected":{},"found":{},"remedy":{},"error":{},"will_change":{},"needs_user":{},)"
        R"("blocked":{},"waiver":{},"expired_waiver":{},"steps":{}}})",
        identity_members(*item), json_text(name_of(item->finding.state)), json_text(item->finding.expected),
        json_text(item->finding.found), text_or_null(item->finding.remedy), text_or_null(item->trouble),
        item->will_change(), item->needs_user(), text_or_null(item->blocked), waiver_json(item->waiver),
        waiver_json(item->expired_waiver), steps_json(item->steps));
  };
  return fmt::format(
      R"({{"format":"enclave-plan/1","target":{},"exit_status":{},"changes":{},"left_to_user":{},"items":{}}})"
      "\n",
      json_text(target), plan.exit_status(), changes, left, json_array(items, json_of));
}

}  // namespace enclave::report
