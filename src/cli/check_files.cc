#include "cli/check_files.h"

#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "cli/flow_files.h"
#include "cli/json.h"
#include "cli/line_cases.h"
#include "cli/logstash_pipelines.h"
#include "cli/mistakes.h"
#include "cli/printable.h"
#include "event/json.h"
#include "event/record.h"
#include "io/host.h"
#include "pipeline/logstash/lint.h"

namespace enclave::cli {

namespace logstash = pipeline::logstash;

namespace {

constexpr std::uint32_t kReadableByAll = 0004;

/// What the lint finds, as further warnings.
void add_findings(const std::string& path, Shell& shell, Diagnostics& diagnostics) {
  Diagnostics told_before;
  Files& files = shell.world.files;
  for (const auto& pipeline : read_pipelines(path, shell, told_before)) {
    const auto& configuration = pipeline.configuration;
    auto findings = logstash::lint(configuration);
    for (std::uint32_t i = 0; i < configuration.files.size(); ++i) {
      // A configuration that stands in pipelines.yml itself has no file.
      const auto info = files.info(configuration.files[i]);
      const auto text = read_file(files, configuration.files[i], logstash::kConfigBytesMax);
      if (!info || !text) continue;
      const auto more = logstash::lint_file(configuration, i, *text, (info->mode & kReadableByAll) != 0);
      findings.insert(findings.end(), more.begin(), more.end());
    }
    for (const auto& finding : findings)
      diagnostics.warning(configuration.place(finding.position),
                          fmt::format("{}; {} ({})", finding.reason, finding.mend, finding.rule));
  }
}

std::string json_of_case(const CaseResult& result) {
  return JsonObject()
      .text("name", result.name)
      .flag("passed", result.differences.empty())
      .raw("differences",
           event::json_array(result.differences, [](const auto& each) { return event::json_text(each); }))
      .done();
}

int print(const std::string& path, const Diagnostics& diagnostics, const std::vector<CaseResult>& results,
          const Arguments& arguments, Shell& shell) {
  const auto failed = std::ranges::count_if(results, [](const auto& each) { return !each.differences.empty(); });
  const bool good = !diagnostics.has_errors() && failed == 0;
  if (arguments.has("json")) {
    JsonObject object;
    object.text("file", path).flag("valid", !diagnostics.has_errors()).raw("mistakes", mistakes_json(diagnostics));
    if (arguments.has("cases")) object.raw("cases", event::json_array(results, json_of_case));
    shell.out << object.done() << "\n";
    return good ? kGood : kFailed;
  }
  shell.out << diagnostics.text();
  for (const auto& result : results) {
    if (result.differences.empty()) continue;
    shell.out << printable(result.name) << ": not as expected\n";
    for (const auto& difference : result.differences) shell.out << "  " << printable(difference) << "\n";
  }
  if (!diagnostics.has_errors()) shell.out << path << ": no mistake found\n";
  if (!results.empty())
    shell.out << fmt::format("{} of {} cases are as expected\n", results.size() - static_cast<std::size_t>(failed),
                             results.size());
  return good ? kGood : kFailed;
}

}  // namespace

int check_files(const Arguments& arguments, Shell& shell) {
  const bool is_logstash = arguments.has("logstash");
  if (is_logstash && arguments.has("filebeat")) {
    shell.err << "enclave check: --logstash and --filebeat are checked one at a time\n";
    return kUsage;
  }
  const auto host = io::this_host(shell.world.files);
  if (!host) return fail(shell, "check", host.error());
  const std::string path = arguments.value(is_logstash ? "logstash" : "filebeat");
  const std::string whole = absolute_path(shell, path);
  FlowRequest request;
  (is_logstash ? request.logstash : request.filebeat) = whole;
  request.compat = arguments.value("compat");
  Diagnostics diagnostics;
  FlowFiles files(shell);
  (void)files.plan(request, host->hostname, diagnostics);
  if (is_logstash) add_findings(whole, shell, diagnostics);
  std::vector<CaseResult> results;
  Trials trials(shell);
  if (arguments.has("cases")) {
    const std::string cases = arguments.value("cases");
    const auto text = read_file(shell.world.files, absolute_path(shell, cases), kCasesBytesMax);
    if (!text) return fail(shell, "check", text.error());
    Diagnostics told_before;
    if (is_logstash)
      trials.read_logstash(whole, told_before);
    else
      trials.read_filebeat(whole, request.compat, told_before);
    if (!told_before.has_errors()) results = run_cases(*text, cases, trials, shell.world.clock.wall_ns(), diagnostics);
  }
  return print(path, diagnostics, results, arguments, shell);
}

}  // namespace enclave::cli
