#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/flow_files.h"
#include "cli/json.h"
#include "cli/printable.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "pipeline/flow/dead_letters.h"
#include "pipeline/flow/letter_taking.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

using pipeline::Letter;

/// The folders of flows, by name; the only one when one is asked for.
Result<std::vector<std::string>> pipelines_of(const std::string& state, const Arguments& arguments, Files& files) {
  std::vector<std::string> names;
  if (arguments.has("pipeline")) {
    const std::string directory = flow_directory(state, arguments.value("pipeline"));
    if (!files.info(directory))
      return Error{Fault::absent, "no pipeline {} has run here: {} is not there", arguments.value("pipeline"),
                   directory};
    names.emplace_back(name_in(directory));
    return names;
  }
  const auto listed = files.list(join_path(state, "flows"));
  if (!listed && listed.error().fault() != Fault::absent) return listed.error();
  if (listed)
    for (const auto& entry : *listed)
      if (entry.kind == FileKind::directory) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

/// What the options and the ids choose.
class Choice {
 public:
  static Result<Choice> of(const Arguments& arguments, std::int64_t now_ns) {
    Choice choice;
    choice.plugin_ = arguments.value("plugin");
    choice.reason_ = arguments.value("reason");
    for (const auto& [name, field] : {std::pair{"since", &choice.since_}, std::pair{"until", &choice.until_}}) {
      if (!arguments.has(name)) continue;
      const auto when = parse_when(arguments.value(name), now_ns);
      if (!when) return Error{Fault::invalid, "--{}: {}", name, when.error().text()};
      *field = *when;
    }
    const auto& operands = arguments.operands();
    choice.ids_.insert(operands.begin() + 1, operands.end());
    return choice;
  }
  bool wants(std::string_view id, const Letter& letter) {
    const bool named = ids_.empty() || ids_.contains(id);
    if (named && !ids_.empty()) met_.emplace(id);
    return named && letter.wall_ns >= since_ && letter.wall_ns < until_ &&
           (plugin_.empty() || letter.plugin == plugin_ || letter.output == plugin_) &&
           letter.reason.find(reason_) != std::string::npos;
  }
  /// Everything, whatever it is.
  bool is_open() const {
    return ids_.empty() && plugin_.empty() && reason_.empty() && since_ == INT64_MIN && until_ == INT64_MAX;
  }
  Result<void> all_met() const {
    for (const auto& id : ids_)
      if (!met_.contains(id)) return Error{Fault::absent, "there is no dead letter {}; see enclave deadletters ls", id};
    return {};
  }

 private:
  std::string plugin_, reason_;
  std::int64_t since_ = INT64_MIN, until_ = INT64_MAX;
  std::set<std::string, std::less<>> ids_, met_;
};

std::string time_text(std::int64_t wall_ns) { return format_time(wall_ns).substr(0, 19) + "Z"; }

std::string letter_json(const std::string& pipeline, std::string_view id, const Letter& letter, bool whole) {
  // The letter as it stands in the file, between what it does not know of itself.
  std::string line = pipeline::format_letter(letter);
  line.pop_back();
  if (!whole) {
    JsonObject short_one;
    short_one.text("time", time_text(letter.wall_ns)).text("plugin", letter.plugin).text("output", letter.output);
    line = short_one.text("reason", letter.reason).number("events", letter.events).done();
  }
  const std::string head = JsonObject().text("id", id).text("pipeline", pipeline).done();
  return head.substr(0, head.size() - 1) + "," + line.substr(1) + "\n";
}

std::string letter_text(const std::string& pipeline, std::string_view id, const Letter& letter, bool whole) {
  const std::string& by = letter.output.empty() ? letter.plugin : letter.output;
  std::string out = fmt::format("{}  {}  {}  {}{}\n", id, time_text(letter.wall_ns), printable(pipeline), printable(by),
                                letter.events == 1 ? "" : fmt::format(", {} events", letter.events));
  out += report::wrapped(report::printable(letter.reason), "    ", "    ");
  if (!whole) return out;
  if (!letter.to.empty()) out += fmt::format("    to: {}\n", printable(letter.to));
  return out + fmt::format("    event: {}\n", printable(letter.event, Tabs::keep));
}

class Work {
 public:
  Work(const Arguments& arguments, Shell& shell, std::string state, std::vector<std::string> names, Choice choice)
      : arguments_(arguments),
        shell_(shell),
        state_(std::move(state)),
        names_(std::move(names)),
        choice_(std::move(choice)),
        json_(arguments.has("json")) {}

  Result<int> show(bool whole) {
    std::uint64_t shown = 0;
    for (const auto& name : names_) {
      TRY(pipeline::finish_taking(files(), directory(name)));
      std::uint64_t of_this = 0;
      const auto read = TRY(pipeline::read_letters(
          files(), directory(name), [&](std::string_view id, const Letter& letter) -> Result<void> {
            if (!choice_.wants(id, letter)) return {};
            ++of_this;
            shell_.out << (json_ ? letter_json(name, id, letter, whole) : letter_text(name, id, letter, whole));
            return {};
          }));
      shown += of_this;
      if (!json_) shell_.out << summary(name, of_this, read);
    }
    TRY(choice_.all_met());
    if (!json_ && shown == 0) shell_.out << "No dead letters.\n";
    return static_cast<int>(kGood);
  }

  Result<int> take(bool replay) {
    if (choice_.is_open() && !arguments_.has("all"))
      return Error{Fault::invalid, "--all is wanted, or say which: ids, --plugin, --reason, --since, --until"};
    const bool running = TRY(io::is_locked(join_path(state_, kLockName)));
    for (const auto& name : names_) {
      pipeline::Taking taking;
      taking.wanted = [this](std::string_view id, const Letter& letter) { return choice_.wants(id, letter); };
      taking.replay = replay;
      taking.anew = arguments_.has("anew");
      taking.unreadable = !replay && choice_.is_open();
      const auto taken = TRY(pipeline::take_letters(shell_.world, directory(name), taking));
      if (json_) {
        shell_.out << JsonObject()
                          .text("pipeline", name)
                          .number("letters", static_cast<std::int64_t>(taken.letters))
                          .number("events", static_cast<std::int64_t>(taken.events))
                          .number("left", static_cast<std::int64_t>(taken.left))
                          .number("unreadable", static_cast<std::int64_t>(taken.unreadable))
                          .done()
                   << "\n";
      } else if (taken.letters + taken.left + taken.unreadable > 0) {
        shell_.out << fmt::format("{}: {} {}, {} left{}\n", printable(name),
                                  report::counted(taken.letters, "dead letter"),
                                  !replay   ? "removed"
                                  : running ? "sent again"
                                            : "sent again at the next start",
                                  taken.left, unreadable_text(taken.unreadable));
      }
    }
    TRY(choice_.all_met());
    return static_cast<int>(kGood);
  }

 private:
  Files& files() { return shell_.world.files; }
  std::string directory(const std::string& name) const { return flow_directory(state_, name); }

  static std::string unreadable_text(std::uint64_t lines) {
    return lines == 0
               ? ""
               : fmt::format(", {} that {} no letter", report::counted(lines, "line"), lines == 1 ? "is" : "are");
  }

  std::string summary(const std::string& name, std::uint64_t shown, const pipeline::LettersRead& read) {
    const std::uint64_t waiting = pipeline::replay_bytes(files(), directory(name));
    if (shown + read.unreadable + waiting == 0) return "";
    return fmt::format("{}: {} of {}{}{}\n", printable(name), shown, report::counted(read.letters, "dead letter"),
                       unreadable_text(read.unreadable),
                       waiting == 0 ? "" : fmt::format(", {} being replayed", format_bytes(waiting)));
  }

  const Arguments& arguments_;
  Shell& shell_;
  const std::string state_;
  const std::vector<std::string> names_;
  Choice choice_;
  const bool json_;
};

Result<int> run_action(const std::string& action, const Arguments& arguments, Shell& shell) {
  auto choice = TRY(Choice::of(arguments, shell.world.clock.wall_ns()));
  auto state = TRY(state_directory(arguments, shell));
  auto names = TRY(pipelines_of(state, arguments, shell.world.files));
  Work work(arguments, shell, std::move(state), std::move(names), std::move(choice));
  if (action == "ls" || action == "show") return work.show(action == "show");
  return work.take(action == "replay");
}

int run(const Arguments& arguments, Shell& shell) {
  const std::string action = arguments.operands()[0];
  const auto status = run_action(action, arguments, shell);
  return status ? *status : fail(shell, "deadletters " + action, status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {'p', "pipeline", "ID", "Only of this pipeline.", false, Completes::nothing, {}},
    {0,
     "plugin",
     "NAME",
     "Only what this output refused: its id, or its kind, such as elasticsearch.",
     false,
     Completes::nothing,
     {}},
    {'r', "reason", "TEXT", "Only where the reason holds this text.", false, Completes::nothing, {}},
    {0,
     "since",
     "TIME",
     "Only what was refused from then on: 2026-11-23, 2026-11-23T09:26:33Z, or an age such as 15m, 2h, 7d.",
     false,
     Completes::nothing,
     {}},
    {0, "until", "TIME", "Only what was refused before then.", false, Completes::nothing, {}},
    {'a', "all", "", "replay, rm: all letters, when nothing else says which.", false, Completes::nothing, {}},
    {0,
     "anew",
     "",
     "replay: the output makes what it sends from the event again, as it is configured now; [@metadata] is lost.",
     false,
     Completes::nothing,
     {}}};

constexpr ActionSpec kActions[] = {
    {"ls", "[ID]…", "List letters: id, time, pipeline, output, reason.", 0, 10'000,
     "config dir pipeline plugin reason since until"},
    {"show", "[ID]…", "The same with the events.", 0, 10'000, "config dir pipeline plugin reason since until"},
    {"replay", "[ID]…", "Give letters back to the outputs that refused them.", 0, 10'000,
     "config dir pipeline plugin reason since until all anew"},
    {"rm", "[ID]…", "Remove letters for good.", 0, 10'000, "config dir pipeline plugin reason since until all"}};

constexpr StatusSpec kStatuses[] = {
    {kGood, "done"}, {kFailed, "it could not be done, or an ID is not there"}, {kUsage, "wrong usage"}};
constexpr Example kExamples[] = {
    {"enclave deadletters ls --since 1d", "What was refused since yesterday, and why."},
    {"enclave deadletters replay --reason mapper_parsing_exception", "After the index has got another mapping."},
    {"enclave deadletters show --json | jq .event", "The events alone."}};

}  // namespace

const Verb verb_deadletters{
    .name = "deadletters",
    .summary = "list, show, replay and remove events that outputs refused",
    .description =
        "An event that an output of a pipeline refuses for good is kept in the pipeline's state directory, with when, "
        "by which output and why. This lists them, while the pipeline runs or not.\n\n"
        "replay takes letters out and gives them to the pipeline, which sends them past its filters to the output that "
        "refused them: at once when it runs, otherwise at its next start. They are sent as they were refused; with "
        "--anew the output makes them again from the event. What is refused again is a dead letter again.",
    .options = kOptions,
    .operands = {"ACTION [ID]…", "See the actions.", 1, 10'001, Completes::nothing, {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run,
    .actions = kActions};

}  // namespace enclave::cli
