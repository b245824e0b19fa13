#include <array>

#include "base/time.h"
#include "event/json.h"
#include "event/record.h"
#include "report/verify_report.h"

namespace enclave::report {
namespace {

using archive::Finding;
using archive::LogReport;
using archive::VerifyReport;
using archive::Weight;
using event::json_array;
using event::json_text;

std::string_view word_of(Weight weight) {
  constexpr std::array<std::string_view, 4> kWords = {"good", "note", "inconclusive", "violated"};
  return kWords[static_cast<std::size_t>(weight)];
}

/// What stands for the whole: a note does not make a log less good.
std::string_view verdict_word(Weight weight) { return word_of(weight == Weight::note ? Weight::good : weight); }

std::string time_text(std::int64_t time_ns) { return time_ns == 0 ? "null" : json_text(format_time(time_ns)); }

std::string finding_json(const Finding& finding) {
  const auto number = [](const auto& value) { return value ? std::to_string(*value) : "null"; };
  std::optional<std::uint64_t> first, last;
  if (finding.seq) first = finding.seq->first, last = finding.seq->second;
  return fmt::format(R"({{"verdict":{},"weight":{},"origin":{},"key":{},"index":{},"seq_first":{},"seq_last":{},)"
                     R"("time_first":{},"time_last":{},"sources":{},"text":{}}})",
                     json_text(name_of(finding.verdict)), json_text(word_of(finding.weight)), json_text(finding.origin),
                     json_text(finding.key), number(finding.index), number(first), number(last),
                     time_text(finding.time_first_ns), time_text(finding.time_last_ns),
                     json_array(finding.sources, json_text), json_text(finding.text));
}

std::string log_json(const LogReport& log) {
  Weight worst = Weight::good;
  for (const Finding& finding : log.findings) worst = std::max(worst, finding.weight);
  return fmt::format(
      R"({{"origin":{},"verdict":{},"leaves":{},"records":{},"records_read":{},"objects":{},"objects_ok":{},)"
      R"("object_bytes":{},"time_first":{},"time_last":{},"checkpoint":{},"findings":{}}})",
      json_text(log.origin), json_text(verdict_word(worst)), log.size, log.records, log.records_read, log.objects,
      log.objects_ok, log.object_bytes, time_text(log.time_first_ns), time_text(log.time_last_ns),
      log.checkpoint.empty() ? "null" : json_text(log.checkpoint), json_array(log.findings, finding_json));
}

}  // namespace

std::string verify_json(const VerifyReport& report) {
  return fmt::format(
      R"({{"format":"enclave-verify/1","verdict":{},"exit_status":{},"source":{},"logs":{},"findings":{},)"
      R"("findings_left_out":{}}})"
      "\n",
      json_text(verdict_word(report.weight())), report.exit_status(), json_text(report.source),
      json_array(report.logs, log_json), json_array(report.findings, finding_json), report.findings_left_out);
}

}  // namespace enclave::report
