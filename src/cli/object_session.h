#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cli/live.h"
#include "cli/object_events.h"
#include "cli/object_names.h"
#include "cloud/s3_transfer.h"
#include "control/storage_reach.h"
#include "io/host.h"
#include "io/stop_signals.h"

/// What `enclave object` and `enclave bucket` share: configuration, buckets, records, answers, interruption.
namespace enclave::cli {

inline constexpr OptionSpec kUnrecordedOption{0,     "unrecorded",       "", "Do it also when it cannot be recorded.",
                                              false, Completes::nothing, {}};

/// Something was done, or not: what is told, once it is recorded.
struct Answer {
  ObjectEvent event;
  std::string text;         ///< of success, for people; empty: nothing is said
  bool quiet_json = false;  ///< the event is recorded, but not printed as JSON
  /// A file that takes its name once it is on the disk.
  std::optional<cloud::DownloadTo> to;
  std::string temporary;
};

class ObjectSession {
 public:
  /// Reads the configuration and opens the file of events. `verb`: for messages, "object put".
  static Result<std::unique_ptr<ObjectSession>> open(std::string verb, const Arguments& arguments, Shell& shell);
  ~ObjectSession();

  const pipeline::Config& config() const { return config_; }
  const Arguments& arguments() const { return arguments_; }
  /// Behind the action's name.
  std::vector<std::string> operands() const;
  bool json() const { return arguments_.has("json"); }
  Shell& shell() { return shell_; }
  World world() const { return shell_.world; }
  Live& live() { return live_; }
  const ObjectEvents& events() const { return *events_; }
  control::Storage& storage() { return *storage_; }
  const std::atomic<bool>& stop() const { return stop_; }
  bool is_stopped() const { return stop_.load() || gone_.load(); }

  /// Does not ask an S3 server. Of a file store, writing takes its lock, and it must exist unless the file names it.
  Result<cloud::ObjectBucket*> bucket(const std::string& name, bool writing);
  /// Fault::denied for the log bucket: nobody but the log writes there.
  Result<void> check_writable(const std::string& bucket) const;
  Result<cloud::TransferOptions> transfer() const;
  std::string journals() const { return journals_; }

  ObjectEvent begin(std::string_view operation, std::string bucket, std::string key) const {
    return events_->begin(operation, std::move(bucket), std::move(key));
  }
  /// Thread-safe. Records it and, once that is on the disk, tells it.
  void answer(Answer answer);
  /// The same for one operation with one outcome. Gives the outcome's status.
  int answer_one(ObjectEvent event, const Result<std::string>& outcome);
  /// Records and tells what waits. The exit status of all.
  int finish();
  /// For a line at the bottom of a terminal; may be called often.
  void progress(std::uint64_t more_bytes, std::uint64_t more_objects);
  void expect(std::uint64_t bytes, std::uint64_t objects);

 private:
  ObjectSession(std::string verb, const Arguments& arguments, Shell& shell, pipeline::Config config);
  void flush();
  void place_files();
  void tell(const Answer& answer, std::string_view line);
  void fail_recording(const Error& error);

  const std::string verb_;
  const Arguments& arguments_;
  Shell& shell_;
  const pipeline::Config config_;
  Live live_;
  std::string journals_;
  std::unique_ptr<ObjectEvents> events_;
  std::unique_ptr<control::Storage> storage_;
  std::unique_ptr<io::StopSignals> signals_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> gone_{false};  ///< the store is away or nothing can be recorded: nothing new is begun
  std::vector<io::Lock> locks_;
  std::set<std::string> locked_;
  std::map<std::string, std::unique_ptr<cloud::ObjectBucket>> buckets_;

  std::mutex mutex_;
  std::vector<Answer> waiting_;
  std::int64_t flushed_ns_ = 0;
  std::uint64_t failures_ = 0;
  bool unrecorded_ = false;
  std::uint64_t bytes_ = 0, objects_ = 0, bytes_expected_ = 0, objects_expected_ = 0;
  std::int64_t begun_ns_ = 0, drawn_ns_ = 0;
};

}  // namespace enclave::cli
