#include "report/control_json.h"

#include "event/json.h"
#include "event/record.h"

namespace enclave::report {

using event::json_array;
using event::json_text;

std::string identity_members(const control::Item& item) {
  return fmt::format(R"("control":{},"severity":{},"subject":{{"kind":{},"name":{}}})", json_text(item.control->id),
                     json_text(name_of(item.control->severity)), json_text(item.subject.kind),
                     json_text(item.subject.name));
}

std::string text_or_null(std::string_view text) { return text.empty() ? "null" : json_text(text); }

std::string steps_json(const std::vector<control::Step>& steps) {
  return json_array(steps, [](const control::Step& step) {
    return fmt::format(R"({{"what":{},"before":{},"after":{},"caution":{},"reversible":{}}})", json_text(step.what),
                       json_text(step.before), json_text(step.after), text_or_null(step.caution), step.reversible);
  });
}

std::string waiver_json(const pipeline::WaiverConfig* waiver) {
  if (waiver == nullptr) return "null";
  return fmt::format(R"({{"reason":{},"until":{}}})", json_text(waiver->reason), json_text(waiver->until));
}

}  // namespace enclave::report
