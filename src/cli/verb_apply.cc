#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "cli/control_session.h"
#include "cli/verbs.h"
#include "io/host.h"
#include "report/control_report.h"

namespace enclave::cli {
namespace {

/// What was changed may make more possible, such as the settings of a bucket that was not there.
constexpr int kPassesMax = 3;

/// Whether to go on. Asks only where somebody can answer; the caller has seen to that.
bool is_wanted(const Arguments& arguments, Shell& shell, std::string_view question) {
  if (arguments.has("yes")) return true;
  shell.out << "\n" << question << " Only yes is taken as consent: " << std::flush;
  std::string answer;
  return shell.in != nullptr && std::getline(*shell.in, answer) && answer == "yes";
}

Result<void> check_consent(const Arguments& arguments, const Shell& shell) {
  if (arguments.has("yes")) return {};
  if (arguments.has("json")) return Error{Fault::invalid, "--yes is needed with --json: nobody is asked"};
  if (shell.in_terminal && shell.out_terminal) return {};
  return Error{Fault::invalid, "--yes is needed where nobody can be asked"};
}

/// What a later pass found replaces what an earlier one did, but for what was changed.
void merge(std::vector<control::AppliedItem>& all, std::vector<control::AppliedItem> later) {
  if (all.empty()) all.swap(later);
  for (std::size_t i = 0; i < later.size(); ++i) {
    auto& one = all[i];
    auto& now = later[i];
    now.changes.insert(now.changes.begin(), one.changes.begin(), one.changes.end());
    if (now.promised.empty()) now.promised = one.promised;
    if (now.outcome == control::Outcome::unchanged && one.outcome == control::Outcome::done) now.outcome = one.outcome;
    one = std::move(now);
  }
}

Result<int> apply(const Arguments& arguments, Shell& shell, ControlSession& session) {
  const bool json = arguments.has("json");
  control::UndoJournal journal(shell.world, control::undo_directory(session.config().state), session.target());
  std::vector<control::AppliedItem> all;
  bool declined = false;
  for (int pass = 0; pass < kPassesMax; ++pass) {
    const auto plan = control::make_plan(session.reach(), session.scope());
    session.clear_progress();
    if (!plan) return Error(plan.error());
    if (pass > 0 && !plan->has_changes()) break;
    if (!json)
      shell.out << (pass > 0 ? "\nNow that this is done, more can be:\n\n" : "")
                << report::plan_text(*plan, session.target());
    declined = plan->has_changes() && !is_wanted(arguments, shell, "Do this?");
    if (declined) break;
    auto applied = control::apply_plan(session.reach(), session.scope(), *plan, journal);
    session.clear_progress();
    const bool more = std::any_of(applied.begin(), applied.end(), [](const auto& one) {
      return one.item.selected && one.outcome == control::Outcome::unplanned;
    });
    if (!json && plan->has_changes()) shell.out << "\n" << report::applied_text(applied, journal.number());
    merge(all, std::move(applied));
    if (!more) break;
  }
  if (json) shell.out << report::applied_json(all, journal.number(), session.target());
  if (declined) shell.out << (all.empty() ? "Nothing was changed.\n" : "Nothing more was changed.\n");
  const int status = exit_status(all);
  return declined && status == kGood ? kDiffers : status;
}

Result<int> undo(const Arguments& arguments, Shell& shell, ControlSession& session) {
  const std::string directory = control::undo_directory(session.config().state);
  const auto run = TRY(control::newest_to_undo(shell.world.files, directory));
  const bool json = arguments.has("json");
  if (!run) {
    shell.out << (json ? report::undone_json({}, 0, kGood) : "Nothing to undo.\n");
    return kGood;
  }
  if (!json) shell.out << report::undo_text(*run);
  if (!is_wanted(arguments, shell, "Put this back?")) {
    shell.out << "Nothing was changed.\n";
    return kDiffers;
  }
  const auto undone = control::undo_run(session.reach(), session.scope(), *run, directory);
  session.clear_progress();
  if (!undone) return Error(undone.error());
  const bool good = std::all_of(undone->begin(), undone->end(), [](const control::UndoneChange& change) {
    return change.outcome == control::UndoneChange::Outcome::undone ||
           change.outcome == control::UndoneChange::Outcome::impossible;
  });
  const int status = good ? kGood : kFailed;
  shell.out << (json ? report::undone_json(*undone, run->number, status)
                     : "\n" + report::undone_text(*undone, run->number));
  return status;
}

Result<int> run_apply(const Arguments& arguments, Shell& shell) {
  TRY(check_consent(arguments, shell));
  if (arguments.has("undo") && (arguments.has("only") || arguments.has("subject")))
    return Error{Fault::invalid, "--undo puts back a whole run; --only and --subject do not go with it"};
  const auto session = TRY(ControlSession::open(arguments, shell));
  const std::string directory = control::undo_directory(session->config().state);
  TRY(make_directories(shell.world.files, directory));
  auto lock = io::lock_file(join_path(parent_of(directory), "lock"));
  if (!lock && lock.error().fault() == Fault::conflict)
    return std::move(lock).error().within("another enclave apply is at work");
  if (!lock) return std::move(lock).error();
  return arguments.has("undo") ? undo(arguments, shell, *session) : apply(arguments, shell, *session);
}

int run(const Arguments& arguments, Shell& shell) {
  const auto status = run_apply(arguments, shell);
  return status ? *status : fail(shell, "apply", status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    kOnlyOption,
    kSubjectOption,
    {'y', "yes", "", "Do not ask; needed where nobody can be asked.", false, Completes::nothing, {}},
    {0,
     "undo",
     "",
     "Put back what the newest run changed that is not undone yet, backwards.",
     false,
     Completes::nothing,
     {}}};
constexpr StatusSpec kStatuses[] = {{kGood, "done, or nothing to do"},
                                    {kFailed, "could not do it, or not all of it; what was changed can be undone"},
                                    {kDiffers, "something did not come out as the plan promised, or the answer was no"},
                                    {kInconclusive, "something could not be observed; the rest is done"}};
constexpr Example kExamples[] = {{"enclave apply", "Show the plan, ask, do it, and look whether it is so."},
                                 {"enclave apply --yes", "For scripts. Doing it again changes nothing."},
                                 {"enclave apply --undo", "Put back what the last run replaced."}};

}  // namespace

const Verb verb_apply{
    .name = "apply",
    .summary = "make the buckets as enclave.yaml says; --undo puts back what was there",
    .description =
        "Shows the plan and, after consent, makes it so: each control after those that it needs. Before a change, what "
        "is there is written to the state directory, so that --undo can put it back, also after a crash. Afterwards "
        "everything is looked at again: what was promised and is not so is named. Only what the plan showed is done; "
        "what is found to be different meanwhile is planned and asked again.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
