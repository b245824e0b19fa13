#include "cli/config_file.h"
#include "cli/control_session.h"
#include "cli/verbs.h"
#include "report/control_report.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  auto session = ControlSession::open(arguments, shell);
  if (!session) return fail(shell, "audit", session.error());
  const auto all = control::audit((*session)->reach(), (*session)->scope(), !arguments.has("no-prove"));
  (*session)->clear_progress();
  if (!all) return fail(shell, "audit", all.error());
  shell.out << (arguments.has("json") ? report::audit_json(*all, (*session)->target(), shell.world.clock.wall_ns())
                                      : report::audit_text(*all, (*session)->target()));
  return exit_status(*all);
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    kOnlyOption,
    kSubjectOption,
    {0, "no-prove", "", "Only read; what reads well is then examined, not tested.", false, Completes::nothing, {}}};
constexpr StatusSpec kStatuses[] = {{kGood, "all controls pass, do not apply, or are waived"},
                                    {kFailed, "could not do it"},
                                    {kDiffers, "a control fails"},
                                    {kInconclusive, "none fails, and something could not be told"}};
constexpr Example kExamples[] = {{"enclave audit", "Read the settings, and try to break in."},
                                 {"enclave audit --json > audit.json", "With all evidence, for an auditor."}};

}  // namespace

const Verb verb_audit{
    .name = "audit",
    .summary = "are the controls in force? read, then proven by trying",
    .description =
        "Reads the settings of the buckets and judges them, then tries what should be refused, on objects of its own "
        "that it removes again: a setting that reads well proves nothing on a server that ignores it. Each control "
        "gets the worse of both. What could not be told is inconclusive, never a pass.\n\nA control that fails and is "
        "named below waivers: in enclave.yaml is waived until the end of that day.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
