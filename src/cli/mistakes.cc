#include "cli/mistakes.h"

#include "cli/config_file.h"
#include "cli/flow_files.h"
#include "cli/json.h"
#include "event/json.h"
#include "io/host.h"

namespace enclave::cli {

std::string mistakes_json(const Diagnostics& diagnostics) {
  return event::json_array(diagnostics.entries(), [](const Diagnostics::Entry& entry) {
    return JsonObject()
        .text("severity", entry.severity == Diagnostics::Severity::error ? "error" : "warning")
        .text("file", entry.place.file)
        .number("line", entry.place.line)
        .number("column", entry.place.column)
        .text("text", entry.text)
        .done();
  });
}

int tell_mistakes(const std::string& file, const Diagnostics& diagnostics, bool json, Shell& shell) {
  const bool good = !diagnostics.has_errors();
  if (json) {
    shell.out << JsonObject().text("file", file).flag("valid", good).raw("mistakes", mistakes_json(diagnostics)).done()
              << "\n";
    return good ? kGood : kFailed;
  }
  shell.out << diagnostics.text();
  if (good) shell.out << file << ": no mistake found\n";
  return good ? kGood : kFailed;
}

int check_filebeat(const Arguments& arguments, Shell& shell) {
  const auto host = io::this_host(shell.world.files);
  if (!host) return fail(shell, "check", host.error());
  FlowRequest request;
  request.filebeat = absolute_path(shell, arguments.value("filebeat"));
  request.compat = arguments.value("compat");
  Diagnostics diagnostics;
  FlowFiles files(shell);
  (void)files.plan(request, host->hostname, diagnostics);
  return tell_mistakes(arguments.value("filebeat"), diagnostics, arguments.has("json"), shell);
}

}  // namespace enclave::cli
