#include "cli/config_file.h"
#include "cli/object_actions.h"
#include "cli/verbs.h"

namespace enclave::cli {
namespace {

Result<int> run_action(const std::string& action, const Arguments& arguments, Shell& shell) {
  const auto session = TRY(ObjectSession::open("object " + action, arguments, shell));
  const auto status = action == "put"        ? object_put(*session)
                      : action == "get"      ? object_get(*session)
                      : action == "ls"       ? object_list(*session)
                      : action == "versions" ? object_versions(*session)
                      : action == "rm"       ? object_remove(*session)
                                             : object_restore(*session);
  if (status) return status;
  // Also what failed before it began is recorded: that somebody tried.
  ObjectEvent event = session->begin(action, "", "");
  const auto operands = session->operands();
  event.path = operands.empty() ? "" : operands[0];
  event.failure = status.error();
  const bool usage = status.error().fault() == Fault::invalid && status.error().text().starts_with("--");
  session->answer(Answer{std::move(event), "", false, {}, ""});
  const int failed = session->finish();
  return usage ? static_cast<int>(kUsage) : failed;
}

int run(const Arguments& arguments, Shell& shell) {
  const std::string action = arguments.operands()[0];
  const auto status = run_action(action, arguments, shell);
  return status ? *status : fail(shell, "object " + action, status.error());
}

constexpr OptionSpec kOptions[] = {
    kConfigOption,
    kDirOption,
    {'r', "recursive", "", "Also what lies below a prefix.", false, Completes::nothing, {}},
    {'o',
     "output",
     "PATH",
     "get: the file or directory to write, or - for the standard output. Default: here.",
     false,
     Completes::file,
     {}},
    {'f', "force", "", "get: replace files that are there.", false, Completes::nothing, {}},
    {'i',
     "identity",
     "FILE",
     "get: the age identity. Default: those of the buckets and of the log that are here.",
     false,
     Completes::file,
     {}},
    {0,
     "range",
     "FIRST-LAST",
     "get: only these bytes of the plain text, counted from 0.",
     false,
     Completes::nothing,
     {}},
    {0, "stored", "", "get: as it is stored, not decrypted. ls: sizes as stored.", false, Completes::nothing, {}},
    {0,
     "recipient",
     "AGE1…",
     "put: encrypt to it instead of the bucket's recipients. May be repeated.",
     true,
     Completes::nothing,
     {}},
    {0, "plain", "", "put: do not encrypt.", false, Completes::nothing, {}},
    {0, "version", "VERSION", "This version instead of the latest.", false, Completes::nothing, {}},
    {0, "versions", "", "ls: older versions too.", false, Completes::nothing, {}},
    {'y', "yes", "", "rm: do not ask for it again.", false, Completes::nothing, {}},
    {'p', "parallel", "N", "So many requests at once, 1 to 64. Default: 8.", false, Completes::nothing, {}},
    {0, "part-size", "SIZE", "Large objects go in parts of this size. Default: 8MiB.", false, Completes::nothing, {}},
    kUnrecordedOption};

constexpr ActionSpec kActions[] = {
    {"put", "FILE… [BUCKET[/PREFIX]]", "Encrypt files, directories or - (the standard input) and store them.", 1,
     100'000, "config dir recipient plain parallel part-size unrecorded"},
    {"get", "KEY…", "Fetch objects, check and decrypt them.", 1, 100'000,
     "config dir recursive output force identity range stored version parallel part-size unrecorded"},
    {"ls", "[PREFIX]", "List objects, with the size of their plain text.", 0, 1,
     "config dir recursive stored versions parallel unrecorded"},
    {"rm", "KEY…", "Remove objects; a versioned bucket keeps them as older versions. With --version: for good.", 1,
     100'000, "config dir recursive version yes unrecorded"},
    {"versions", "KEY", "List the versions of an object.", 1, 1, "config dir unrecorded"},
    {"restore", "KEY", "Make an older version the latest again: the last one, or --version.", 1, 1,
     "config dir version unrecorded"}};

constexpr StatusSpec kStatuses[] = {{kGood, "all of it is done and recorded"},
                                    {kFailed, "something could not be done, or not be recorded; the text says what"},
                                    {kUsage, "wrong usage"}};
constexpr Example kExamples[] = {
    {"enclave object put report.pdf photos data/2026/", "As data/2026/report.pdf and data/2026/photos/…"},
    {"tar c /etc | enclave object put - data/etc.tar", "What comes from a pipe."},
    {"enclave object get 'data/2026/*.pdf' -o inbox -i key.txt", "All that fit, into the directory inbox."},
    {"enclave object get data/big.iso -o - --range 0-1023 -i key.txt", "The first KiB; no more than that is fetched."},
    {"enclave object restore data/report.pdf", "Back to the version before, also after rm."}};

}  // namespace

const Verb verb_object{
    .name = "object",
    .summary = "store, fetch, list, remove and restore objects",
    .description =
        "Works with the objects of the buckets of enclave.yaml. What is stored is encrypted first, to the recipients "
        "of "
        "its bucket, so that only who holds an identity reads it; age -d opens it too.\n\n"
        "A KEY is BUCKET/KEY for a bucket that enclave.yaml names, s3://BUCKET/KEY for any other one, and otherwise a "
        "key in the bucket for data. Patterns (* ? [a-z], and ** for any depth) in keys must be quoted, or the shell "
        "takes them for files. Large objects go in parts, several at once; a transfer that was interrupted goes on "
        "where it was when the same command is given again. No file is replaced without --force.\n\n"
        "Everything is recorded, also what fails: who did what to which object. The record is sealed in the log by "
        "enclave run. Without a record nothing is done, unless --unrecorded says so.",
    .options = kOptions,
    .operands = {"ACTION [OPERAND]…", "See the actions.", 1, 100'000, Completes::file, {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run,
    .actions = kActions};

}  // namespace enclave::cli
