#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/starter.h"
#include "cli/verbs.h"
#include "event/json.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  const auto started = write_starter(arguments, shell, arguments.has("force"));
  if (!started) return fail(shell, "init", started.error());
  const Findings& found = started->findings;
  if (arguments.has("json")) {
    const auto quote = [](const std::string& text) { return event::json_text(text); };
    shell.out << JsonObject()
                     .text("file", started->path)
                     .text("enclave", found.name)
                     .raw("logs", event::json_array(found.logs, quote))
                     .flag("journal", found.journal)
                     .raw("environment", event::json_array(found.environment, quote))
                     .done()
              << "\n";
    return kGood;
  }
  shell.out << "Wrote " << started->path << " for the enclave " << found.name << ".\n";
  for (const auto& path : found.logs) shell.out << "  found " << path << "\n";
  if (found.journal) shell.out << "  found the journal\n";
  if (found.logs.empty() && !found.journal)
    shell.out << "  no log that can be read was found: name some below logging: inputs:\n";
  for (const auto& name : found.environment) shell.out << "  found " << name << " in the environment\n";
  const std::string which = arguments.has("dir")      ? " --dir " + arguments.value("dir")
                            : arguments.has("config") ? " -c " + arguments.value("config")
                                                      : "";
  shell.out << "Next: enclave check" << which << ", then enclave run" << which << "\n";
  return kGood;
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {0, "name", "NAME", "Name of the enclave. Default: the name of this machine.", false, Completes::nothing, {}},
    {'f', "force", "", "Replace a file that is there already.", false, Completes::nothing, {}}};
constexpr StatusSpec kStatuses[] = {{kGood, "written"},
                                    {kFailed, "not written: it is there already, or cannot be made"}};
constexpr Example kExamples[] = {{"enclave init", "Write /etc/enclave/enclave.yaml, as root."},
                                 {"enclave init --dir ./try", "Everything below ./try, for a first look."}};

}  // namespace

const Verb verb_init{.name = "init",
                     .summary = "write an annotated enclave.yaml from what is found here",
                     .description =
                         "Looks for logs that can be read, for the journal and for AWS_* variables (their "
                         "names only), and writes a configuration that names every key, what it means and "
                         "its default.",
                     .options = kOptions,
                     .operands = {},
                     .statuses = kStatuses,
                     .examples = kExamples,
                     .run = run};

}  // namespace enclave::cli
