#include "cli/config_file.h"
#include "cli/control_session.h"
#include "cli/verbs.h"
#include "report/control_report.h"

namespace enclave::cli {
namespace {

int run(const Arguments& arguments, Shell& shell) {
  auto session = ControlSession::open(arguments, shell);
  if (!session) return fail(shell, "plan", session.error());
  const auto plan = control::make_plan((*session)->reach(), (*session)->scope());
  (*session)->clear_progress();
  if (!plan) return fail(shell, "plan", plan.error());
  shell.out << (arguments.has("json") ? report::plan_json(*plan, (*session)->target())
                                      : report::plan_text(*plan, (*session)->target()));
  return plan->exit_status();
}

constexpr OptionSpec kOptions[] = {kConfigOption, kDirOption, kOnlyOption, kSubjectOption};
constexpr StatusSpec kStatuses[] = {{kGood, "nothing to change"},
                                    {kFailed, "could not do it"},
                                    {kDiffers, "there is something to change"},
                                    {kInconclusive, "something could not be observed, and nothing else is to change"}};
constexpr Example kExamples[] = {
    {"enclave plan", "What enclave apply would do."},
    {"enclave plan --only storage.private --subject data-storage-bucket-001", "One control on one bucket."}};

}  // namespace

const Verb verb_plan{
    .name = "plan",
    .summary = "what apply would change, as a difference; changes nothing",
    .description =
        "Looks at the buckets of enclave.yaml and shows for each control what is there now and what would be there "
        "after enclave apply: lines with - go, lines with + come. Names what cannot be undone beforehand, what is left "
        "as it is, and why. Changes none of the buckets.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
