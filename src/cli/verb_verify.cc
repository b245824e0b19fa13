#include "archive/seen.h"
#include "base/encoding.h"
#include "base/files.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/store.h"
#include "cli/verbs.h"
#include "cli/verify_session.h"

namespace enclave::cli {
namespace {

constexpr std::uint64_t kThreadsMax = 1'024;

std::vector<std::string> absolute_paths(const Shell& shell, std::vector<std::string> paths) {
  for (auto& path : paths) path = absolute_path(shell, path);
  return paths;
}

Result<Verification> wanted_of(const Arguments& arguments, const OpenLog& log, Shell& shell) {
  Verification wanted;
  if (log.config && !arguments.has("key")) {
    wanted = TRY(own_verification(*log.config, shell));
  } else {
    wanted.keys = arguments.values("key");
    wanted.seen = archive::seen_directory(shell.environment("XDG_STATE_HOME").value_or(""),
                                          shell.environment("HOME").value_or(""));
  }
  if (arguments.has("identity")) wanted.identities = absolute_paths(shell, arguments.values("identity"));
  wanted.last_seen = absolute_paths(shell, arguments.values("last-seen"));
  if (arguments.has("seen") && arguments.has("no-seen"))
    return Error{Fault::invalid, "--seen and --no-seen exclude each other"};
  if (arguments.has("seen")) wanted.seen = absolute_path(shell, arguments.value("seen"));
  if (arguments.has("no-seen")) wanted.seen.clear();
  wanted.origin = arguments.value("origin");
  if (arguments.has("stale-after")) {
    const auto duration = parse_duration(arguments.value("stale-after"));
    if (!duration) return Error(duration.error()).within("--stale-after");
    wanted.stale_after = *duration;
  }
  if (arguments.has("threads")) {
    const auto threads = parse_number(arguments.value("threads"));
    if (!threads || *threads < 1 || *threads > kThreadsMax)
      return Error{Fault::invalid, "--threads: \"{}\" is not a number from 1 to {}", arguments.value("threads"),
                   kThreadsMax};
    wanted.threads = static_cast<unsigned>(*threads);
  }
  wanted.json = arguments.has("json");
  wanted.explain = arguments.has("explain");
  wanted.quiet = arguments.has("quiet");
  wanted.progress = shell.err_terminal && !wanted.quiet;
  return wanted;
}

Result<int> run_verify(const Arguments& arguments, Shell& shell) {
  const std::string target = arguments.operands().empty() ? "" : arguments.operands()[0];
  const OpenLog log = TRY(open_log(target, arguments, shell));
  auto wanted = TRY(wanted_of(arguments, log, shell));
  if (!target.empty() && !log.store)
    wanted.directory = target.starts_with("file://") ? target.substr(7) : absolute_path(shell, target);
  return run_verification(*log.source, wanted, shell.world, "enclave verify", shell.out, shell.err);
}

int run(const Arguments& arguments, Shell& shell) {
  const auto status = run_verify(arguments, shell);
  return status ? *status : fail(shell, "verify", status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {'k',
     "key",
     "VKEY|FILE",
     "The key that whoever runs the enclave gave you (enclave run prints it), or a file with such keys.",
     true,
     Completes::file,
     {}},
    {'i',
     "identity",
     "FILE",
     "The log identity (age): the records are decrypted and checked one by one, too.",
     true,
     Completes::file,
     {}},
    {0, "origin", "ORIGIN", "Only this log, such as NAME/INSTANCE/g1.", false, Completes::nothing, {}},
    {0, "last-seen", "FILE", "A checkpoint that the log must not go behind.", true, Completes::file, {}},
    {0,
     "seen",
     "DIR",
     "Where the newest checkpoints seen are kept. Default: STATE/seen, or ~/.local/state/enclave/seen.",
     false,
     Completes::directory,
     {}},
    {0, "no-seen", "", "Neither read nor keep them.", false, Completes::nothing, {}},
    {0,
     "stale-after",
     "DURATION",
     "A log that has been silent for longer is STALE. Default: as configured, else never.",
     false,
     Completes::nothing,
     {}},
    {0,
     "threads",
     "N",
     "How many objects are read at once. Default: one for each core.",
     false,
     Completes::nothing,
     {}},
    {0,
     "explain",
     "",
     "Print commands that check the same with sha256sum, openssl and age alone.",
     false,
     Completes::nothing,
     {}},
    {'q', "quiet", "", "Print nothing; the exit status tells.", false, Completes::nothing, {}},
    kEndpointOption,
    kRegionOption,
    kCaOption,
    kCredentialsOption};
constexpr StatusSpec kStatuses[] = {
    {kGood, "the log is whole"},
    {kFailed, "could not do it: nothing to read, a wrong key or file"},
    {kViolated, "something was changed, removed, added or cut off"},
    {kInconclusive, "could not tell: something could not be read, or no key was given"}};
constexpr Example kExamples[] = {
    {"enclave verify", "This machine's log, in its bucket."},
    {"enclave verify ./copy --key ec528/i-1/g1+5a17fd22+AeX…",
     "A copied bucket, offline, with the key that was given."},
    {"enclave verify s3://logs --endpoint https://objects.example.org --key ./vkeys", "From another machine."}};

}  // namespace

const Verb verb_verify{
    .name = "verify",
    .summary = "is the log whole? against the bucket, or offline",
    .description =
        "Proves from the trust anchor that nobody changed, removed or added anything: the signed checkpoint, the tree, "
        "the leaves, and the bytes of every object; with the identity also every record. Names each object that is not "
        "in order and which records it held. Remembers the newest checkpoint and refuses a log that has gone back "
        "behind it.\n\nWithout a target it verifies the log of the configuration, with the keys in its state "
        "directory; "
        "an auditor takes the key from elsewhere.",
    .options = kOptions,
    .operands = {"[DIR | s3://BUCKET[/PREFIX]]",
                 "Where the log is: a copied directory, or a bucket. Default: the "
                 "configured one.",
                 0,
                 1,
                 Completes::directory,
                 {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run};

}  // namespace enclave::cli
