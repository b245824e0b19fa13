#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive/verify.h"
#include "crypto/age.h"
#include "event/record.h"
#include "pipeline/engine.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/random.h"
#include "sim/store.h"

namespace enclave::sim {

struct SimOptions {
  std::uint64_t seed = 1;
  Disk::Options disk = {};
  pipeline::EngineOptions engine = {};                         ///< places, names, keys and boot id are filled in
  std::string input = "{type: file, paths: ['/var/log/**']}";  ///< YAML, one input
  bool trace = false;
};

/// One machine with the main job on it: log files → engine → store, on virtual time. The three stages are called in
/// random order. What cannot go wrong in a working program, and does, is kept in problems().
class Sim {
 public:
  explicit Sim(SimOptions options);
  ~Sim();

  SimClock clock;
  SimRandom random;
  Disk disk;
  SimStore store;
  LogWriter logs;

  void append(const std::string& path, std::string_view bytes) { logs.append(path, bytes); }

  /// Lets this much virtual time go by.
  void run_for(Nanoseconds duration);
  /// Until every byte that stands in a file is in the store under a published checkpoint. False, and a problem, when
  /// that does not come to pass in some hours of virtual time.
  bool run_until_idle();
  /// The same, but the store may be away: until everything read is durable in the spool.
  bool run_until_committed();

  /// kill -9, and a new process.
  void crash();
  /// As crash(), with the power; what was not synced may be gone. The machine boots anew.
  void cut_power();
  /// From now on the next `changes` changes of the disk are the last ones of this process.
  void crash_within(std::uint64_t changes, bool power);
  /// Orderly: everything read is committed and sealed, then a new process starts, after `reboot` on a new boot.
  /// False when something that had gone wrong stood in the way; the process is killed then.
  bool restart(bool reboot = false);

  /// In the order of the log: generations, then record numbers. A damaged object is a problem.
  std::vector<event::Record> archived_records();
  /// Without what ended them.
  std::vector<std::string> archived_lines();
  archive::VerifyReport verify();

  /// Of the running process; an empty one when it could not start yet.
  pipeline::EngineStatus status() const { return engine_ ? engine_->status() : pipeline::EngineStatus{}; }
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& trace() const { return trace_; }
  void note(std::string text);
  void problem(std::string text);

 private:
  enum class Turn : std::uint8_t { worked, rested, died };
  void start();
  Result<void> open();
  void die(bool power);
  Turn turn();
  bool run_until(Nanoseconds at_least, const std::function<bool()>& done);
  void pass_time(std::int64_t until_ns);
  bool is_committed() const;
  std::string state_of_affairs() const;

  SimOptions options_;
  crypto::AgeIdentity identity_;
  Node input_config_;
  std::unique_ptr<pipeline::Engine> engine_;
  std::set<std::string> anchors_;
  std::int64_t next_start_ns_ = 0;
  int failed_starts_ = 0;
  bool power_on_death_ = false;
  std::vector<std::string> problems_;
  std::vector<std::string> trace_;
};

}  // namespace enclave::sim
