#include "cli/object_session.h"

#include "base/encoding.h"
#include "base/files.h"
#include "cli/config_file.h"
#include "cli/printable.h"

namespace enclave::cli {
namespace {

// So many answers are recorded by one sync, unless they come slowly.
constexpr std::size_t kAtOnce = 1024;
constexpr std::int64_t kWaitNs = 500'000'000;
constexpr std::int64_t kDrawNs = 100'000'000;
constexpr std::string_view kBucketLock = ".enclave-lock";

}  // namespace

ObjectSession::ObjectSession(std::string verb, const Arguments& arguments, Shell& shell, pipeline::Config config)
    : verb_(std::move(verb)),
      arguments_(arguments),
      shell_(shell),
      config_(std::move(config)),
      live_(shell.out, shell.err, shell.err_terminal && !arguments.has("json")),
      begun_ns_(shell.world.clock.boot_ns()) {
  flushed_ns_ = begun_ns_;
}

ObjectSession::~ObjectSession() = default;

Result<std::unique_ptr<ObjectSession>> ObjectSession::open(std::string verb, const Arguments& arguments, Shell& shell) {
  auto config = TRY(load(arguments, shell));
  std::unique_ptr<ObjectSession> session(new ObjectSession(std::move(verb), arguments, shell, std::move(config)));
  const pipeline::Config& used = session->config_;
  auto events = ObjectEvents::open(used, shell);
  if (!events && !arguments.has("unrecorded")) return std::move(events).error();
  session->events_ = events ? std::move(*events) : ObjectEvents::none(used, shell);
  if (!events) shell.err << "enclave " << session->verb_ << ": not recorded: " << events.error().text() << "\n";
  session->storage_ = control::open_storage(shell.world, used, shell.environment);
  session->signals_ = TRY(io::StopSignals::catch_them([stop = &session->stop_] { *stop = true; }));
  // Where this user can write: the keys of unfinished uploads are kept there.
  std::string journals = join_path(used.state, "transfers");
  if (!make_directories(shell.world.files, journals)) {
    const std::string own = user_state(shell);
    journals = own.empty() ? "" : join_path(own, "transfers");
  }
  session->journals_ = std::move(journals);
  return session;
}

std::vector<std::string> ObjectSession::operands() const {
  const auto& all = arguments_.operands();
  return {all.begin() + 1, all.end()};
}

Result<cloud::ObjectBucket*> ObjectSession::bucket(const std::string& name, bool writing) {
  const bool is_file = config_.storage.is_file();
  const std::string directory = is_file ? join_path(config_.storage.directory(), name) : "";
  if (is_file && writing && locked_.insert(name).second) {
    Files& files = shell_.world.files;
    const bool ours = config_.bucket(name) != nullptr;
    if (!ours && !files.info(directory))
      return Error{Fault::absent, "there is no bucket {}; make it with: enclave bucket new {}", name, name};
    TRY(make_directories(files, directory));
    locks_.push_back(TRY(io::lock_file(join_path(directory, kBucketLock))));
    TRY(cloud::sweep_uploads_in(files, directory));
  }
  if (const auto open = buckets_.find(name); open != buckets_.end()) return open->second.get();
  auto opened = is_file ? TRY(cloud::object_bucket_in(shell_.world, directory))
                        : cloud::object_bucket(*TRY(storage_->bucket(name)));
  return (buckets_[name] = std::move(opened)).get();
}

Result<void> ObjectSession::check_writable(const std::string& bucket) const {
  const auto* known = config_.bucket(bucket);
  if (bucket != config_.log_bucket() && (known == nullptr || known->purpose != "logs")) return {};
  return Error{Fault::denied, "{} is the bucket of the log: nobody but the log may write there", bucket};
}

Result<cloud::TransferOptions> ObjectSession::transfer() const {
  cloud::TransferOptions options;
  if (arguments_.has("parallel")) {
    const auto wanted = parse_number(arguments_.value("parallel"));
    if (!wanted || *wanted < 1 || *wanted > 64) return Error{Fault::invalid, "--parallel: give a number from 1 to 64"};
    options.parallel = static_cast<unsigned>(*wanted);
  }
  if (arguments_.has("part-size")) {
    const auto wanted = parse_bytes(arguments_.value("part-size"));
    if (!wanted || *wanted < 5_MiB || *wanted > 1_GiB)
      return Error{Fault::invalid, "--part-size: give a size from 5 MiB to 1 GiB, such as 16MiB"};
    options.part_bytes = *wanted;
  }
  options.stop = &stop_;
  options.journals = journals_;
  return options;
}

void ObjectSession::expect(std::uint64_t bytes, std::uint64_t objects) {
  bytes_expected_ += bytes;
  objects_expected_ += objects;
}

void ObjectSession::progress(std::uint64_t more_bytes, std::uint64_t more_objects) {
  const std::lock_guard lock(mutex_);
  bytes_ += more_bytes;
  objects_ += more_objects;
  if (!shell_.err_terminal) return;
  const std::int64_t now = shell_.world.clock.boot_ns();
  if (now - drawn_ns_ < kDrawNs) return;
  drawn_ns_ = now;
  const double seconds = static_cast<double>(now - begun_ns_) / 1e9;
  live_.line(fmt::format("{} of {} objects, {} of {}, {}/s", objects_, objects_expected_, format_bytes(bytes_),
                         format_bytes(bytes_expected_),
                         format_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes_) / seconds))));
}

void ObjectSession::answer(Answer answer) {
  const std::lock_guard lock(mutex_);
  // A store that is away would let every further object wait for its own time-out.
  if (answer.event.failure && answer.event.failure->fault() == Fault::busy) gone_ = true;
  waiting_.push_back(std::move(answer));
  const bool due = shell_.world.clock.boot_ns() - flushed_ns_ > kWaitNs;
  if (waiting_.size() >= kAtOnce || due) flush();
}

// One sync for all of the files, which costs little more than that of one.
void ObjectSession::place_files() {
  Files& files = shell_.world.files;
  std::set<std::string> directories;
  for (const auto& answer : waiting_)
    if (answer.to) directories.insert(parent_of(answer.to->path));
  if (directories.empty()) return;
  auto synced = io::sync_file_system(*directories.begin());
  for (auto& answer : waiting_) {
    if (!answer.to) continue;
    auto placed = synced ? cloud::finish_download(files, *answer.to, answer.temporary) : synced;
    if (!placed) answer.event.failure = placed.error();
  }
  if (const auto again = io::sync_file_system(*directories.begin()); !again)
    for (auto& answer : waiting_)
      if (answer.to && !answer.event.failure) answer.event.failure = again.error();
}

void ObjectSession::flush() {
  place_files();
  std::vector<std::string> lines;
  for (const auto& answer : waiting_) {
    lines.push_back(events_->line_of(answer.event));
    if (auto added = events_->add(lines.back()); !added) fail_recording(added.error());
  }
  if (auto synced = events_->sync(); !synced) fail_recording(synced.error());
  for (std::size_t i = 0; i < waiting_.size(); ++i) tell(waiting_[i], lines[i]);
  waiting_.clear();
  shell_.out.flush();
  flushed_ns_ = shell_.world.clock.boot_ns();
}

void ObjectSession::tell(const Answer& answer, std::string_view line) {
  live_.clear();
  if (answer.event.failure) {
    ++failures_;
    shell_.err << "enclave " << verb_ << ": " << printable(answer.event.failure->text()) << "\n";
  }
  if (json()) {
    if (!answer.quiet_json) shell_.out << line << "\n";
  } else if (!answer.event.failure && !answer.text.empty()) {
    shell_.out << answer.text << "\n";
  }
}

void ObjectSession::fail_recording(const Error& error) {
  if (arguments_.has("unrecorded") || unrecorded_) return;
  unrecorded_ = true;
  gone_ = true;
  shell_.err << "enclave " << verb_ << ": what was done could not be recorded: " << error.text() << "\n";
}

int ObjectSession::finish() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty()) flush();
  live_.clear();
  return failures_ == 0 && !unrecorded_ && !stop_ ? kGood : kFailed;
}

int ObjectSession::answer_one(ObjectEvent event, const Result<std::string>& outcome) {
  Answer answer{std::move(event), outcome ? *outcome : "", false, {}, ""};
  if (!outcome) answer.event.failure = outcome.error();
  this->answer(std::move(answer));
  return finish();
}

}  // namespace enclave::cli
