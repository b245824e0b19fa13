#include "cli/check_files.h"
#include "cli/check_storage.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/mistakes.h"
#include "cli/verbs.h"
#include "control/waivers.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  if (arguments.has("logstash") || arguments.has("filebeat")) return check_files(arguments, shell);
  if (arguments.has("cases")) {
    shell.err << "enclave check: --cases needs --logstash or --filebeat, the filters that lines are given to\n";
    return kUsage;
  }
  auto path = arguments.operands().empty() ? config_path(arguments, shell)
                                           : Result<std::string>(absolute_path(shell, arguments.operands()[0]));
  if (!path) return fail(shell, "check", path.error());
  const std::string shown = arguments.operands().empty() ? arguments.value("config", *path) : arguments.operands()[0];
  Diagnostics diagnostics;
  const auto config = pipeline::load_config(shell.world.files, *path, diagnostics, shown);
  // Without a mistake that has a place, the file itself could not be read.
  if (!config && !diagnostics.has_errors()) return fail(shell, "check", config.error());
  if (config) control::check_waivers(*config, control::all_controls(), shell.world.clock.wall_ns(), diagnostics);
  if (arguments.has("storage") && config) {
    shell.err << diagnostics.text();
    return check_storage(*config, arguments, shell);
  }
  if (arguments.has("json")) {
    shell.out << JsonObject()
                     .text("file", shown)
                     .flag("valid", config.has_value())
                     .raw("mistakes", mistakes_json(diagnostics))
                     .done()
              << "\n";
  } else {
    shell.out << diagnostics.text();
    if (config) {
      shell.out << shown << ": no mistake found\n";
    } else {
      shell.out << config.error().text() << "\n";
    }
  }
  return config ? kGood : kFailed;
}

constexpr OptionSpec kStorageOption{
    0, "storage", "",
    "Also ask the S3 server what it does: settings are tried on new buckets, which are removed again."};
constexpr OptionSpec kVerboseOption{0, "verbose", "", "With --storage: what was sent and answered."};
constexpr OptionSpec kCasesOption{
    0,      "cases",
    "FILE", "With --logstash or --filebeat: lines and the fields that must come of them, as YAML or JSON.",
    false,  Completes::file,
    {}};
constexpr OptionSpec kOptions[] = {kConfigOption,   kDirOption,   kStorageOption,  kVerboseOption,
                                   kLogstashOption, kCasesOption, kFilebeatOption, kCompatOption};
constexpr StatusSpec kStatuses[] = {{kGood, "no mistake"}, {kFailed, "there are mistakes, or the file cannot be read"}};
constexpr Example kExamples[] = {
    {"enclave check ./enclave.yaml", "Name every mistake as FILE:LINE:COLUMN: what is wrong."},
    {"enclave check --storage --verbose", "What the configured S3 server can do, and what it only says it can."},
    {"enclave check --logstash pipeline.conf --cases cases.yaml", "A Logstash file, and what it makes of lines."},
    {"enclave check --filebeat /etc/filebeat/filebeat.yml", "What Filebeat would not tell you of its file."}};

}  // namespace

const Verb verb_check{.name = "check",
                      .summary = "find mistakes in enclave.yaml, in Logstash's or Filebeat's files",
                      .description =
                          "Reads the configuration and names every mistake at once, each with its line and "
                          "column, what was found, what is allowed and the nearest known word; warns of waivers "
                          "that are over, end soon or name nothing. Changes nothing and asks no server.\n\n"
                          "With --storage it then asks the server: some servers accept a setting and ignore it, so "
                          "each is tried on a canary bucket of its own (enclave-canary-…), which is removed again.\n\n"
                          "With --logstash it reads a Logstash configuration instead, with --filebeat a "
                          "filebeat.yml: names its mistakes and what is allowed but most likely not meant. --cases "
                          "then runs lines through its filters or processors and compares what comes out.",
                      .options = kOptions,
                      .operands = {"[FILE]", "The configuration, instead of --config.", 0, 1, Completes::file, {}},
                      .statuses = kStatuses,
                      .examples = kExamples,
                      .run = run};

}  // namespace enclave::cli
