#include "base/time.h"
#include "event/json.h"
#include "event/record.h"
#include "report/control_json.h"
#include "report/control_report.h"

namespace enclave::report {
namespace {

using control::Audited;
using control::Fact;
using control::Trial;
using event::json_array;
using event::json_text;

std::string fact_json(const Fact& fact) {
  return fmt::format(R"({{"name":{},"value":{},"evidence":{}}})", json_text(fact.name), json_text(fact.value),
                     json_text(fact.evidence));
}

std::string trial_json(const Trial& trial) {
  return fmt::format(R"({{"tried":{},"expected":{},"found":{},"state":{},"evidence":{}}})", json_text(trial.tried),
                     json_text(trial.expected), json_text(trial.found), json_text(name_of(trial.state)),
                     json_text(trial.evidence));
}

std::string finding_json(const Audited& one) {
  const auto& item = one.item;
  const auto& finding = item.finding;
  const auto standard_json = [](const control::Standard& standard) {
    return fmt::format(R"({{"name":{},"id":{}}})", json_text(standard.name), json_text(standard.id));
  };
  return fmt::format(
      R"({{{},"state":{},"tested":{},"untested_because":{},"title":{},"why":{},"standards":{},"expected":{},)"
      R"("found":{},"evidence":{},"remedy":{},"error":{},"waiver":{},"expired_waiver":{},"facts":{},"trials":{}}})",
      identity_members(item), json_text(name_of(one.state)), one.untried.empty() && !one.trials.empty(),
      text_or_null(one.untried), json_text(item.control->title), json_text(item.control->why),
      json_array(item.control->standards, standard_json), json_text(finding.expected), json_text(finding.found),
      json_text(finding.evidence), text_or_null(finding.remedy), text_or_null(item.trouble), waiver_json(item.waiver),
      waiver_json(item.expired_waiver), json_array(item.facts.all, fact_json), json_array(one.trials, trial_json));
}

}  // namespace

std::string audit_json(const std::vector<Audited>& all, std::string_view target, std::int64_t wall_ns) {
  using control::State;
  std::string counts;
  for (const State state : {State::pass, State::fail, State::inconclusive, State::not_applicable, State::waived}) {
    std::size_t count = 0;
    for (const Audited& one : all) count += one.state == state ? 1 : 0;
    counts += fmt::format("{}{}:{}", counts.empty() ? "" : ",", json_text(name_of(state)), count);
  }
  return fmt::format(R"({{"format":"enclave-audit/1","time":{},"target":{},"exit_status":{},"counts":{{{}}},)"
                     R"("findings":{}}})"
                     "\n",
                     json_text(format_time(wall_ns)), json_text(target), exit_status(all), counts,
                     json_array(all, finding_json));
}

}  // namespace enclave::report
