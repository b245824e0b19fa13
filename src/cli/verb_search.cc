#include <thread>

#include "archive/search.h"
#include "base/encoding.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/printable.h"
#include "cli/store.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "keys/keys.h"

namespace enclave::cli {
namespace {

constexpr std::uint64_t kLimit = 100;

/// "name=value" with a name such as _PID, journal.UNIT or src; anything else is text.
std::optional<std::pair<std::string, std::string>> field_of(const std::string& word) {
  constexpr std::string_view kName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  const auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::string name = word.substr(0, equals);
  if (name.find_first_not_of(kName) != std::string::npos) return std::nullopt;
  return std::pair(name, word.substr(equals + 1));
}

Result<archive::SearchOptions> options_of(const Arguments& arguments, Shell& shell) {
  archive::SearchOptions options;
  const std::int64_t now = shell.world.clock.wall_ns();
  for (const auto& [name, into] : {std::pair{"since", &options.since_ns}, std::pair{"until", &options.until_ns}}) {
    if (!arguments.has(name)) continue;
    auto when = parse_when(arguments.value(name), now);
    if (!when) return std::move(when).error().within(fmt::format("--{}", name));
    *into = *when;
  }
  if (options.since_ns >= options.until_ns) return Error{Fault::invalid, "--since is not before --until"};
  options.sources = arguments.values("source");
  if (arguments.has("origin")) options.origin = arguments.value("origin");
  options.limit = kLimit;
  if (arguments.has("limit")) {
    auto limit = parse_number(arguments.value("limit"));
    if (!limit) return std::move(limit).error().within("--limit");
    options.limit = *limit;
  }
  for (const auto& text : arguments.values("text")) options.texts.push_back(text);
  for (const auto& word : arguments.operands()) {
    if (auto field = field_of(word)) {
      options.fields.push_back(std::move(*field));
    } else {
      options.texts.push_back(word);
    }
  }
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  return options;
}

std::string source_text(const std::string& source) {
  const auto at = source.rfind('@');
  return printable(source.starts_with("file:") ? source.substr(5, at == std::string::npos ? at : at - 5) : source);
}

int exit_status(const archive::SearchReport& report) {
  bool violated = false;
  for (const auto& trouble : report.troubles) violated = violated || trouble.fault == Fault::corrupt;
  if (violated) return kViolated;
  return report.troubles.empty() ? kGood : kInconclusive;
}

int finish(const archive::SearchReport& report, std::uint64_t limit, Shell& shell) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < report.troubles.size() && i < kShown; ++i)
    shell.err << "enclave search: not searched: " << report.troubles[i].key << ": " << report.troubles[i].text << "\n";
  if (report.troubles.size() > kShown)
    shell.err << "enclave search: and " << report.troubles.size() - kShown << " more that could not be searched\n";
  if (report.logs == 0) shell.err << "enclave search: there is no log here\n";
  if (report.stopped && report.hits == limit)
    shell.err << "enclave search: " << limit << " shown; there may be more (--limit N, 0 for all)\n";
  return report.logs == 0 ? static_cast<int>(kFailed) : exit_status(report);
}

Result<int> run_search(const Arguments& arguments, Shell& shell) {
  auto options = TRY(options_of(arguments, shell));
  const OpenLog log = TRY(open_log(arguments.value("in"), arguments, shell));
  if (!log.config && !arguments.has("identity"))
    return Error{Fault::denied, "the log is encrypted; name the file with its identity: --identity FILE"};
  const std::string identity =
      arguments.has("identity") ? absolute_path(shell, arguments.value("identity")) : log.config->keys.identity;
  const auto identities = TRY(keys::load_identities(shell.world.files, identity));
  options.identities = identities;
  const bool json = arguments.has("json");
  const auto report = TRY(archive::search(*log.source, options, [&](const archive::SearchHit& hit) {
    if (json) {
      shell.out << hit.line << "\n";
    } else {
      shell.out << format_time(hit.record.wall_ns).substr(0, 23) << "Z " << source_text(hit.record.source) << " "
                << printable(hit.record.raw, Tabs::keep) << "\n";
    }
    return static_cast<bool>(shell.out);
  }));
  return finish(report, options.limit, shell);
}

int run(const Arguments& arguments, Shell& shell) {
  const auto status = run_search(arguments, shell);
  return status ? *status : fail(shell, "search", status.error());
}

constexpr OptionSpec kOptions[] = {
    {0,
     "since",
     "TIME",
     "Only records from then on: 2026-11-23, 2026-11-23T09:26:33Z, or an age such as 15m, 2h, 7d.",
     false,
     Completes::nothing,
     {}},
    {0, "until", "TIME", "Only records from before then.", false, Completes::nothing, {}},
    {'s',
     "source",
     "GLOB",
     "Only from sources that match: a path such as '/var/log/auth*', or 'journal:*'.",
     true,
     Completes::file,
     {}},
    {'t',
     "text",
     "TEXT",
     "A text that the line holds, also when it looks like FIELD=VALUE.",
     true,
     Completes::nothing,
     {}},
    {'n', "limit", "N", "Stop after this many records. Default: 100; 0: never.", false, Completes::nothing, {}},
    {'i',
     "identity",
     "FILE",
     "The log identity (age). Default: that of the configuration.",
     false,
     Completes::file,
     {}},
    {0, "origin", "ORIGIN", "Only this log, such as NAME/INSTANCE/g1.", false, Completes::nothing, {}},
    {0,
     "in",
     "TARGET",
     "A directory or s3://BUCKET[/PREFIX] instead of the configured log bucket.",
     false,
     Completes::directory,
     {}},
    kConfigOption,
    kDirOption,
    kEndpointOption,
    kRegionOption,
    kCaOption,
    kCredentialsOption};
constexpr StatusSpec kStatuses[] = {{kGood, "searched, whether something was found or not"},
                                    {kFailed, "could not search: no log, no identity, no store"},
                                    {kViolated, "an object is not what the log says; nothing of it is shown"},
                                    {kInconclusive, "some objects could not be searched"}};
constexpr Example kExamples[] = {
    {"enclave search --since 2h 'Failed password'", "What sshd refused in the last two hours."},
    {"enclave search -s 'journal:*' _PID=812 --json", "The records of one process, as they were sealed."}};

}  // namespace

const Verb verb_search{
    .name = "search",
    .summary = "find records in the sealed log",
    .description =
        "Decrypts the sealed objects and prints the records that match everything asked for, the newest first: their "
        "time, source and line; with --json the records as they were sealed, one a line. Text is compared byte by "
        "byte. "
        "FIELD=VALUE compares seq, time, boot, src, pos, raw, or what the input knows besides, such as _PID of a "
        "journal "
        "entry. Objects whose times and sources cannot match are not even fetched. Records that are not sealed and "
        "sent "
        "yet are not found.",
    .options = kOptions,
    .operands = {"[TEXT | FIELD=VALUE]…", "What the record holds; all of it.", 0, 100, Completes::nothing, {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
