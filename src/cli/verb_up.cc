#include "cli/config_file.h"
#include "cli/metrics_server.h"
#include "cli/session.h"
#include "cli/starter.h"
#include "cli/verbs.h"
#include "cli/verify_session.h"

namespace enclave::cli {
namespace {

Result<void> make_config_if_missing(const Arguments& arguments, Shell& shell) {
  const std::string path = TRY(config_path(arguments, shell));
  const auto there = shell.world.files.info(path);
  if (there || there.error().fault() != Fault::absent) return {};
  const auto started = TRY(write_starter(arguments, shell, false));
  std::ostream& notes = arguments.has("json") ? shell.err : shell.out;
  notes << "Wrote " << started.path << " for the enclave " << started.findings.name << ".\n";
  return {};
}

int run(const Arguments& arguments, Shell& shell) {
  if (auto made = make_config_if_missing(arguments, shell); !made) return fail(shell, "up", made.error());
  const auto config = load(arguments, shell);
  if (!config) return fail(shell, "up", config.error());
  const bool once = arguments.has("once");
  const std::string metrics = arguments.value("metrics");
  if (const auto good = check_metrics_option(metrics); !good) return fail(shell, "up", good.error());
  const auto ran = run_session(*config, {once, arguments.has("json"), {}, metrics}, shell);
  if (!ran) return fail(shell, "up", ran.error());
  if (!once || *ran != kGood) return *ran;
  const auto verdict = verify_own_log(*config, arguments.has("json"), shell);
  return verdict ? *verdict : fail(shell, "up", verdict.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {0, "name", "NAME", "Name of the enclave, when the configuration is made now.", false, Completes::nothing, {}},
    kMetricsOption,
    {0, "once", "", "Read every input to its end, seal, send, verify, and stop.", false, Completes::nothing, {}}};
constexpr StatusSpec kStatuses[] = {{kGood, "stopped when told to; with --once: sealed, sent and found whole"},
                                    {kFailed, "it could not start, or not all could be sent"},
                                    {kViolated, "with --once: the log is not whole"},
                                    {kInconclusive, "with --once: whether the log is whole could not be told"}};
constexpr Example kExamples[] = {
    {"enclave up --once --dir ./try", "Seal the logs of this machine below ./try, and prove that they are whole."}};

}  // namespace

const Verb verb_up{.name = "up",
                   .summary = "init if need be, run, and with --once verify: all in one",
                   .description =
                       "Writes enclave.yaml when there is none, as enclave init does, then does what enclave run does. "
                       "With --once it verifies the log afterwards and prints the verdict.",
                   .options = kOptions,
                   .operands = {},
                   .statuses = kStatuses,
                   .examples = kExamples,
                   .run = run};

}  // namespace enclave::cli
