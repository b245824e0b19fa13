#include "base/files.h"
#include "cli/config_file.h"
#include "cli/json.h"
#include "cli/object_session.h"
#include "cli/printable.h"
#include "cli/verbs.h"
#include "cloud/s3_documents.h"
#include "cloud/s3_objects.h"

namespace enclave::cli {
namespace {

std::string purpose_of(const pipeline::Config& config, const std::string& name) {
  const auto* known = config.bucket(name);
  return known != nullptr ? known->purpose : name == config.log_bucket() ? "logs" : "";
}

Result<std::vector<cloud::Account::Bucket>> buckets_of(ObjectSession& session) {
  const auto& storage = session.config().storage;
  if (!storage.is_file()) {
    // Any bucket's client can ask for the account.
    auto* any = TRY(session.storage().bucket(session.config().log_bucket()));
    return TRY(cloud::list_buckets(*any)).buckets;
  }
  std::vector<cloud::Account::Bucket> found;
  Files& files = session.shell().world.files;
  const auto entries = files.list(storage.directory());
  if (!entries && entries.error().fault() == Fault::absent) return found;
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    if (entry.kind != FileKind::directory || entry.name.starts_with('.')) continue;
    const FileInfo info = TRY(files.info(join_path(storage.directory(), entry.name)));
    found.push_back({entry.name, info.id.born_ns});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return found;
}

Result<int> bucket_list(ObjectSession& session) {
  ObjectEvent event = session.begin("bucket-list", "", "");
  const auto buckets = buckets_of(session);
  if (buckets) {
    event.objects = buckets->size();
    auto& out = session.shell().out;
    for (const auto& bucket : *buckets) {
      const std::string purpose = purpose_of(session.config(), bucket.name);
      if (session.json()) {
        JsonObject json;
        json.text("bucket", bucket.name);
        if (bucket.made_ns != 0) json.text("made", format_time(bucket.made_ns));
        out << json.text("for", purpose).done() << "\n";
      } else {
        out << fmt::format("{:<16}  {:<5}{}\n", bucket.made_ns == 0 ? "" : short_time(bucket.made_ns), purpose,
                           "  " + printable(bucket.name));
      }
    }
  }
  Answer answer{std::move(event), "", true, {}, ""};
  if (!buckets) answer.event.failure = buckets.error();
  session.answer(std::move(answer));
  return session.finish();
}

Result<std::string> make(ObjectSession& session, const std::string& name) {
  TRY(cloud::check_bucket_name(name));
  const auto& config = session.config();
  if (config.storage.is_file()) {
    Files& files = session.shell().world.files;
    const std::string directory = join_path(config.storage.directory(), name);
    if (files.info(directory)) return Error{Fault::conflict, "{} is there already", directory};
    TRY(make_directories(files, directory));
    return fmt::format("{}  made: {}", name, directory);
  }
  auto* bucket = TRY(session.storage().bucket(name));
  const auto whose = TRY(bucket->ownership());
  if (whose == cloud::Ownership::ours) return Error{Fault::conflict, "the bucket {} is there already, and yours", name};
  if (whose == cloud::Ownership::others)
    return Error{Fault::conflict, "the bucket {} belongs to somebody else; choose another name", name};
  const auto* known = config.bucket(name);
  const bool lock = known != nullptr && known->lock != "none" && !known->lock.empty();
  TRY(bucket->create({.object_lock = lock, .location = {}}));
  TRY(bucket->write(cloud::Setting::versioning, cloud::format_versioning(true)));
  return fmt::format("{}  made, with versions{}; enclave plan shows what else makes it secure", name,
                     lock ? " and object lock" : "");
}

Result<std::string> destroy(ObjectSession& session, const std::string& name) {
  TRY(cloud::check_bucket_name(name));
  TRY(session.check_writable(name));
  const auto& config = session.config();
  auto* objects = TRY(session.bucket(name, false));
  std::size_t count = 0;
  const auto listed = objects->list({"", true}, [&](const cloud::ObjectInfo&) -> Result<void> {
    return ++count < 2 ? Result<void>() : Result<void>(Error{Fault::limit, "enough is known"});
  });
  if (!listed && count < 2) return listed.error();
  if (count > 0)
    return Error{Fault::conflict,
                 "{} is not empty: it holds objects or older versions; see enclave object ls -r "
                 "--versions s3://{}",
                 name, name};
  if (!config.storage.is_file()) {
    TRY(TRY(session.storage().bucket(name))->destroy());
    return fmt::format("{}  removed", name);
  }
  Files& files = session.shell().world.files;
  const std::string directory = join_path(config.storage.directory(), name);
  TRY(files.info(directory));
  // Aside first: so it is either there or not.
  const std::string aside =
      fmt::format("{}/.{}.removed-{}", config.storage.directory(), name, session.world().clock.wall_ns());
  TRY(files.rename(directory, aside));
  TRY(files.sync_directory(config.storage.directory()));
  return fmt::format("{}  removed; what was left of it lies in {}", name, aside);
}

Result<int> run_action(const std::string& action, const Arguments& arguments, Shell& shell) {
  const auto session = TRY(ObjectSession::open("bucket " + action, arguments, shell));
  if (action == "ls") return bucket_list(*session);
  for (const auto& name : session->operands()) {
    ObjectEvent event = session->begin("bucket-" + action, name, "");
    const auto done = action == "new" ? make(*session, name) : destroy(*session, name);
    Answer answer{std::move(event), done ? *done : "", false, {}, ""};
    if (!done) answer.event.failure = done.error();
    session->answer(std::move(answer));
  }
  return session->finish();
}

int run(const Arguments& arguments, Shell& shell) {
  const std::string action = arguments.operands()[0];
  const auto status = run_action(action, arguments, shell);
  return status ? *status : fail(shell, "bucket " + action, status.error());
}

constexpr OptionSpec kOptions[] = {kConfigOption, kDirOption, kUnrecordedOption};
constexpr ActionSpec kActions[] = {
    {"ls", "", "List the buckets of the account, and what enclave.yaml has them for.", 0, 0, "config dir unrecorded"},
    {"new", "NAME…", "Make buckets that keep versions, with object lock where enclave.yaml wants it.", 1, 100,
     "config dir unrecorded"},
    {"rm", "NAME…", "Remove empty buckets.", 1, 100, "config dir unrecorded"}};
constexpr StatusSpec kStatuses[] = {{kGood, "all of it is done and recorded"},
                                    {kFailed, "something could not be done, or not be recorded; the text says what"},
                                    {kUsage, "wrong usage"}};
constexpr Example kExamples[] = {{"enclave bucket new reports-2026", "Then: enclave plan, enclave apply."}};

}  // namespace

const Verb verb_bucket{
    .name = "bucket",
    .summary = "list, make and remove buckets",
    .description =
        "Works with the buckets of the store that enclave.yaml names. A new bucket keeps versions; plan and apply make "
        "the rest of it secure. Only empty buckets are removed, and never that of the log. Everything is recorded, as "
        "with enclave object.",
    .options = kOptions,
    .operands = {"ACTION [NAME]…", "See the actions.", 1, 101, Completes::nothing, {}},
    .statuses = kStatuses,
    .examples = kExamples,
    .run = run,
    .actions = kActions};

}  // namespace enclave::cli
