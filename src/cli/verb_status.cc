#include "base/files.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/session.h"
#include "cli/status_watch.h"
#include "cli/verbs.h"
#include "io/host.h"

namespace enclave::cli {
namespace {

constexpr std::uint64_t kStatusBytesMax = 16 << 20;
constexpr auto kEvery = std::chrono::seconds(2);

/// What stands in the file, without its end; nothing: there is none.
Result<std::optional<std::string>> text_in(Files& files, const std::string& path) {
  auto text = read_file(files, path, kStatusBytesMax);
  if (!text && text.error().fault() == Fault::absent) return std::optional<std::string>();
  if (!text) return text.error();
  while (text->ends_with('\n')) text->pop_back();
  return std::optional<std::string>(std::move(*text));
}

Result<Looked> look(const std::string& state, Files& files) {
  Looked looked;
  looked.running = TRY(io::is_locked(join_path(state, kLockName)));
  looked.log_json = looked.flows_json = "null";
  if (auto text = TRY(text_in(files, join_path(state, kStatusName)))) {
    looked.log = TRY(pipeline::parse_status(*text));
    looked.log_json = std::move(*text);
  }
  if (auto text = TRY(text_in(files, join_path(state, kFlowsName)))) {
    looked.flows = TRY(pipeline::parse_flows(*text));
    looked.flows_json = std::move(*text);
  }
  return looked;
}

int show(const std::string& state, bool json, Shell& shell) {
  const auto looked = look(state, shell.world.files);
  if (!looked) return fail(shell, "status", looked.error());
  if (json) {
    shell.out << status_json(*looked);
  } else if (!looked->log && !looked->flows) {
    const std::string_view what = looked->running ? "it has just begun" : "it has never run here";
    shell.out << (looked->running ? "Running; " : "Not running; ") << what << " (" << state << ")\n";
  } else {
    shell.out << status_text(*looked, nullptr, shell.world.clock.wall_ns());
  }
  return looked->healthy() ? kGood : kFailed;
}

/// "2", "2s", "500ms".
Result<Nanoseconds> every_of(const Arguments& arguments) {
  if (!arguments.has("every")) return Nanoseconds(kEvery);
  if (!arguments.has("watch")) return Error{Fault::invalid, "--every: means nothing without --watch"};
  std::string text = arguments.value("every");
  if (text.find_first_not_of("0123456789") == std::string::npos) text += "s";
  const auto every = parse_duration(text);
  if (!every || *every < std::chrono::milliseconds(100) || *every > std::chrono::hours(1))
    return Error{Fault::invalid, "--every: \"{}\" is not between 100ms and 1h", arguments.value("every")};
  return *every;
}

int run(const Arguments& arguments, Shell& shell) {
  const auto every = every_of(arguments);
  if (!every) return fail(shell, "status", every.error());
  const auto state = state_directory(arguments, shell);
  if (!state) return fail(shell, "status", state.error());
  const bool json = arguments.has("json");
  if (!arguments.has("watch")) return show(*state, json, shell);
  const auto status = watch_status([&] { return look(*state, shell.world.files); }, *every, json, shell);
  return status ? *status : fail(shell, "status", status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {'w', "watch", "", "Show it again and again, with rates, until Ctrl-C.", false, Completes::nothing, {}},
    {0, "every", "SECONDS", "With --watch: how often. Default: 2.", false, Completes::nothing, {}}};
constexpr StatusSpec kStatuses[] = {
    {kGood, "it runs, and nothing is wrong; with --watch: it was ended"},
    {kFailed, "it does not run, or there is trouble, or reading has stopped; or it could not be found out"}};
constexpr Example kExamples[] = {
    {"enclave status --watch", "Live, on a terminal; in a pipe one block after the other."},
    {"enclave status --json --dir ./try", "What status.json and flows.json say, as one JSON object."}};

}  // namespace

const Verb verb_status{
    .name = "status",
    .summary = "tell how it goes: spool, last seal, pipelines, troubles",
    .description =
        "Reads what the running program wrote about itself, and whether it still runs: how much waits, since when, "
        "when it last sealed and sent, and what is wrong. Of each pipeline of --logstash and --filebeat it shows what "
        "inputs, filters and outputs were given and gave on, what they dropped, how many events there are in a second "
        "and how long one takes. An input is given lines and gives events; an output gives what is safe on the other "
        "side; \"dropped\" of an output are dead letters.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
