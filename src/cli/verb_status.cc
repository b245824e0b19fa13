#include "base/files.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "io/host.h"
#include "pipeline/runtime.h"

namespace enclave::cli {
namespace {

constexpr std::uint64_t kStatusBytesMax = 16 << 20;

std::string age_text(std::int64_t wall_ns, std::int64_t now_ns) {
  if (wall_ns == 0) return "none";
  const std::int64_t seconds = std::max<std::int64_t>((now_ns - wall_ns) / 1'000'000'000, 0);
  const std::string age = seconds < 120       ? fmt::format("{} s", seconds)
                          : seconds < 7'200   ? fmt::format("{} min", seconds / 60)
                          : seconds < 172'800 ? fmt::format("{} h", seconds / 3600)
                                              : fmt::format("{} days", seconds / 86'400);
  return fmt::format("{} ago ({})", age, format_time(wall_ns).substr(0, 19) + "Z");
}

void row(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{:<16}{}\n", name, value);
}

std::string text_of(const pipeline::StatusFile& file, bool running, std::int64_t now_ns) {
  const auto& status = file.status;
  std::string out;
  row(out, "State", running ? "running" : "not running");
  row(out, "As of", age_text(file.wall_ns, now_ns));
  row(out, "Log", status.origin);
  row(out, "Key", status.trust_anchor);
  row(out, "Records",
      fmt::format("{} read since the start, {} sealed in all", status.records_read, status.last_sealed_seq));
  row(out, "Leaves", fmt::format("{}, of which the store has {}", status.leaves, status.published_leaves));
  row(out, "Spool",
      fmt::format("{} of {}", format_bytes(status.spool_bytes + status.outbox_bytes),
                  format_bytes(status.spool_bytes_max)));
  row(out, "Oldest unsealed", age_text(status.oldest_unsealed_wall_ns, now_ns));
  row(out, "Oldest unsent", age_text(status.oldest_unsent_wall_ns, now_ns));
  row(out, "Objects waiting", std::to_string(status.objects_waiting));
  row(out, "Last seal", age_text(status.last_sealed_wall_ns, now_ns));
  row(out, "Last sent", age_text(status.last_sent_wall_ns, now_ns));
  if (status.lost > 0) row(out, "Lost", fmt::format("{} (see the gap leaves)", status.lost));
  if (status.reading_stopped) row(out, "Reading", "stopped, because the spool or the disk is full");
  for (const auto& text : status.troubles) row(out, "Trouble", text);
  return out;
}

int run(const Arguments& arguments, Shell& shell) {
  const auto config = load(arguments, shell);
  if (!config) return fail(shell, "status", config.error());
  const auto running = io::is_locked(join_path(config->state, kLockName));
  if (!running) return fail(shell, "status", running.error());
  const auto text = read_file(shell.world.files, join_path(config->state, kStatusName), kStatusBytesMax);
  if (!text && text.error().fault() == Fault::absent) {
    const std::string_view what = *running ? "it has just begun" : "it has never run here";
    if (arguments.has("json")) {
      shell.out << JsonObject().flag("running", *running).flag("healthy", false).raw("status", "null").done() << "\n";
    } else {
      shell.out << (*running ? "Running; " : "Not running; ") << what << " (" << config->state << ")\n";
    }
    return kFailed;
  }
  if (!text) return fail(shell, "status", text.error());
  const auto file = pipeline::parse_status(*text);
  if (!file) return fail(shell, "status", file.error());
  const bool healthy = *running && file->status.troubles.empty() && !file->status.reading_stopped;
  if (arguments.has("json")) {
    std::string json = *text;
    while (json.ends_with('\n')) json.pop_back();
    shell.out << JsonObject().flag("running", *running).flag("healthy", healthy).raw("status", json).done() << "\n";
  } else {
    shell.out << text_of(*file, *running, shell.world.clock.wall_ns());
  }
  return healthy ? kGood : kFailed;
}

constexpr OptionSpec kOptions[] = {kConfigOption, kDirOption};
constexpr StatusSpec kStatuses[] = {
    {kGood, "it runs, and nothing is wrong"},
    {kFailed, "it does not run, or there is trouble, or reading has stopped; or it could not be found out"}};

}  // namespace

const Verb verb_status{
    .name = "status",
    .summary = "tell how it goes: spool, last seal, troubles",
    .description =
        "Reads what the running program wrote about itself at most a minute ago, and whether it still runs: "
        "how much waits, since when, when it last sealed and sent, and what is wrong.",
    .options = kOptions,
    .operands = {},
    .statuses = kStatuses,
    .examples = {},
    .run = run};

}  // namespace enclave::cli
