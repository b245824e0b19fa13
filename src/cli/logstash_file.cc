#include "cli/logstash_file.h"

#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/logstash_cases.h"
#include "cli/mistakes.h"
#include "cli/printable.h"
#include "event/json.h"
#include "pipeline/logstash/config_files.h"
#include "pipeline/logstash/lint.h"
#include "pipeline/logstash/zones.h"

namespace enclave::cli {

namespace logstash = pipeline::logstash;

LogstashFile::LogstashFile(Shell& shell)
    : zones_(shell.world.files), lookup_(zones_.lookup()), world_{shell.world.files, lookup_, "v8"} {}

void LogstashFile::load(const std::string& path, Shell& shell, Diagnostics& diagnostics) {
  logstash::PipelineSettings settings;
  settings.config_path = absolute_path(shell, path);
  logstash::Variables variables;
  variables.environment = shell.environment;
  configuration_ = logstash::load_pipeline(shell.world.files, settings, variables, diagnostics);
  if (!diagnostics.has_errors()) program_ = logstash::Program::compile(configuration_, world_, diagnostics);
}

namespace {

/// What the lint finds, as further warnings.
void add_findings(const logstash::Configuration& configuration, Diagnostics& diagnostics) {
  for (const auto& finding : logstash::lint(configuration))
    diagnostics.warning(configuration.place(finding.position),
                        fmt::format("{}; {} ({})", finding.reason, finding.mend, finding.rule));
}

std::string json_of_case(const CaseResult& result) {
  return JsonObject()
      .text("name", result.name)
      .flag("passed", result.differences.empty())
      .raw("differences",
           event::json_array(result.differences, [](const auto& each) { return event::json_text(each); }))
      .done();
}

/// Names in order, so that what a filter changed is easy to see.
std::vector<std::pair<std::string, std::string>> fields_of(const event::Document& event) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& member : event.root().members()) {
    std::string json;
    event::append_json(member.value, json);
    fields.emplace_back(printable(member.name), printable(json));
  }
  std::ranges::sort(fields);
  return fields;
}

/// "-" what is gone, "+" what is new, "<" and ">" what a field was and what it is.
void print_changes(const std::vector<std::pair<std::string, std::string>>& before,
                   const std::vector<std::pair<std::string, std::string>>& after, std::ostream& out) {
  const auto has = [](const auto& fields, const std::string& name) {
    return std::ranges::any_of(fields, [&](const auto& each) { return each.first == name; });
  };
  for (const auto& field : before)
    if (std::ranges::find(after, field) == after.end())
      out << (has(after, field.first) ? "    < " : "    - ") << field.first << ": " << field.second << "\n";
  for (const auto& field : after)
    if (std::ranges::find(before, field) == before.end())
      out << (has(before, field.first) ? "    > " : "    + ") << field.first << ": " << field.second << "\n";
}

}  // namespace

int check_logstash(const Arguments& arguments, Shell& shell) {
  const std::string path = arguments.value("logstash");
  Diagnostics diagnostics;
  LogstashFile file(shell);
  file.load(path, shell, diagnostics);
  add_findings(file.configuration(), diagnostics);
  std::vector<CaseResult> results;
  if (file.program() != nullptr && arguments.has("cases")) {
    const std::string cases = arguments.value("cases");
    const auto text = read_file(shell.world.files, absolute_path(shell, cases), kCasesBytesMax);
    if (!text) return fail(shell, "check", text.error());
    results = run_cases(*text, cases, *file.program(), shell.world.clock.wall_ns(), diagnostics);
  }
  const auto failed = std::ranges::count_if(results, [](const auto& each) { return !each.differences.empty(); });
  const bool good = !diagnostics.has_errors() && failed == 0;
  if (arguments.has("json")) {
    shell.out << JsonObject()
                     .text("file", path)
                     .flag("valid", !diagnostics.has_errors())
                     .raw("mistakes", mistakes_json(diagnostics))
                     .raw("cases", event::json_array(results, json_of_case))
                     .done()
              << "\n";
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

int explain_line(const Arguments& arguments, Shell& shell) {
  Diagnostics diagnostics;
  LogstashFile file(shell);
  file.load(arguments.value("logstash"), shell, diagnostics);
  if (file.program() == nullptr) {
    shell.err << diagnostics.text();
    return kFailed;
  }
  event::Arena arena;
  pipeline::FilterRun run;
  run.now_ns = shell.world.clock.wall_ns();
  const std::string line = arguments.value("explain-line");
  std::vector events{line_event(line, run.now_ns, arena)};
  auto before = fields_of(events[0]);
  print_changes({}, before, shell.out);
  file.program()->watch([&](const logstash::Program::Passed& passed, const event::Document& event) {
    shell.out << fmt::format("{}:{} {}{}\n", passed.place.file, passed.place.line, passed.plugin.name,
                             event.cancelled    ? ": dropped"
                             : passed.succeeded ? ""
                                                : ": did not succeed");
    auto after = fields_of(event);
    print_changes(before, after, shell.out);
    before = std::move(after);
  });
  file.program()->run(events, run);
  for (const auto& event : events) {
    std::string json;
    append_json(event, json);
    shell.out << printable(json) << "\n";
  }
  if (events.empty()) shell.out << "nothing is left of it\n";
  return kGood;
}

}  // namespace enclave::cli
