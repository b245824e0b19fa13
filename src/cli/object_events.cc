#include "cli/object_events.h"

#include "base/files.h"
#include "base/time.h"
#include "cli/config_file.h"
#include "cli/json.h"

namespace enclave::cli {
namespace {

Result<io::AppendFile> file_below(const std::string& state, Shell& shell) {
  const std::string path = join_path(state, kObjectEvents);
  TRY(make_directories(shell.world.files, parent_of(path)));
  auto file = TRY(io::AppendFile::open(path));
  TRY(shell.world.files.sync_directory(parent_of(path)));
  return file;
}

}  // namespace

ObjectEvents::ObjectEvents(const pipeline::Config& config, Shell& shell, std::optional<io::AppendFile> file)
    : store_(config.storage.endpoint),
      world_(shell.world),
      who_(io::who_runs_this()),
      sudo_user_(shell.environment("SUDO_USER").value_or("")),
      file_(std::move(file)) {}

Result<std::unique_ptr<ObjectEvents>> ObjectEvents::open(const pipeline::Config& config, Shell& shell) {
  auto file = file_below(config.state, shell);
  const std::string own = user_state(shell);
  if (!file && file.error().fault() == Fault::denied && !own.empty()) {
    if (auto instead = file_below(own, shell)) {
      shell.err << "enclave: note: recorded in " << join_path(own, kObjectEvents) << " only, since this user may not "
                << "write in " << config.state << "; the log of this machine does not get it\n";
      file = std::move(instead);
    }
  }
  if (!file)
    return Error{file.error().fault(),
                 "nothing is done, because it could not be recorded: {}; --unrecorded does it without a record",
                 file.error().text()};
  return std::unique_ptr<ObjectEvents>(new ObjectEvents(config, shell, std::move(*file)));
}

std::unique_ptr<ObjectEvents> ObjectEvents::none(const pipeline::Config& config, Shell& shell) {
  return std::unique_ptr<ObjectEvents>(new ObjectEvents(config, shell, std::nullopt));
}

ObjectEvent ObjectEvents::begin(std::string_view operation, std::string bucket, std::string key) const {
  ObjectEvent event;
  event.operation = operation;
  event.bucket = std::move(bucket);
  event.key = std::move(key);
  event.begun_wall_ns = world_.clock.wall_ns();
  event.begun_boot_ns = world_.clock.boot_ns();
  return event;
}

std::string ObjectEvents::line_of(const ObjectEvent& event) const {
  JsonObject line;
  line.text("event", "object").text("time", format_time(event.begun_wall_ns)).text("operation", event.operation);
  line.text("store", store_).text("bucket", event.bucket);
  if (!event.key.empty()) line.text("key", event.key);
  if (!event.version.empty()) line.text("version", event.version);
  if (!event.path.empty()) line.text("path", event.path);
  if (event.objects) line.number("objects", static_cast<std::int64_t>(*event.objects));
  if (event.bytes) line.number("bytes", static_cast<std::int64_t>(*event.bytes)).flag("encrypted", event.encrypted);
  if (event.stored_bytes) line.number("stored_bytes", static_cast<std::int64_t>(*event.stored_bytes));
  line.text("outcome", event.failure ? "failed" : "done");
  if (event.failure) line.text("fault", name_of(event.failure->fault())).text("error", event.failure->text());
  if (!event.told.code.empty()) line.text("error_code", event.told.code);
  if (!event.told.request_id.empty()) line.text("request_id", event.told.request_id);
  line.number("duration_us", (world_.clock.boot_ns() - event.begun_boot_ns) / 1000);
  line.number("uid", who_.uid).text("user", who_.user);
  if (who_.login_uid) line.number("login_uid", *who_.login_uid);
  if (!sudo_user_.empty()) line.text("sudo_user", sudo_user_);
  if (!who_.tty.empty()) line.text("tty", who_.tty);
  line.number("pid", who_.pid);
  return line.done();
}

Result<void> ObjectEvents::add(std::string_view line) {
  return file_ ? file_->append(std::string(line) + "\n") : Result<void>();
}

Result<void> ObjectEvents::sync() { return file_ ? file_->sync() : Result<void>(); }

}  // namespace enclave::cli
