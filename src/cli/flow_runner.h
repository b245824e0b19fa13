#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cli/flow_changes.h"
#include "cli/flow_files.h"
#include "cli/live.h"
#include "cli/rotating_log.h"
#include "pipeline/engine.h"
#include "pipeline/flow/archive_output.h"

namespace enclave::cli {

/// Runs flows beside the archive, or alone, and replaces those whose files change while they run.
///
/// A new configuration is read and checked as a whole before anything stops; one with a mistake is refused, and what
/// runs goes on. Flows that it does not change are left alone. One that it changes reads no more, delivers what it has
/// read and ends; the new one goes on from the same positions. If that cannot be opened, the old one comes back.
class FlowRunner {
 public:
  FlowRunner(Shell& shell, Live& live) : shell_(shell), live_(live) {}
  ~FlowRunner() { (void)finish(); }

  /// Fault::invalid with all mistakes when there is one.
  Result<void> plan(const FlowRequest& request, const std::string& host);
  bool empty() const { return parts_.empty(); }
  bool needs_archive() const;
  /// A flow reads what enclave.yaml names as inputs, so the engine does not.
  bool reads_enclave_inputs() const;

  struct Opening {
    std::string state;                         ///< directory; the flows' own lie below it
    const pipeline::Config* config = nullptr;  ///< null: there is no enclave.yaml
    pipeline::Engine* engine = nullptr;        ///< null: nothing goes to the archive
    std::string host;
    bool once = false;  ///< then nothing is reloaded
  };
  /// What `opening` names outlives the flows.
  Result<void> open(const Opening& opening);

  /// `ended` is called from a flow's thread when it has ended.
  void start(std::function<void()> ended);
  /// From any thread, after start().
  void stop();
  /// The files are read now, whether they look changed or not. From any thread.
  void reload();
  /// Waits for all; the first error of a flow. False: something is left for the next start.
  Result<bool> finish();
  bool running() const { return left_.load() > 0; }
  /// A flow ended because it cannot go on.
  bool failed() const { return failed_.load(); }

  /// Where the files ask for an API; after plan().
  std::vector<pipeline::ListenAddress> apis() const;

  std::vector<pipeline::FlowStatus> status() const;
  /// One JSON object with the state of every flow (docs/formats/flows.md), LF-terminated.
  std::string status_json() const;
  std::uint64_t events_in() const;

 private:
  using Planned = FlowFiles::Planned;
  /// One path of the request, and what was made of it last.
  struct Part {
    FlowRequest request;
    std::shared_ptr<FlowFiles> files;
    std::vector<Planned> planned;  ///< until open()
    QuietWait wait;
    std::int64_t look_boot_ns = 0;  ///< when its files are looked at next
  };
  struct Running {
    std::string id;
    std::size_t part = 0;
    bool wants_inputs = false, reloadable = true;
    std::shared_ptr<FlowFiles> files;  ///< what the flow was made from
    Basis basis;
    std::unique_ptr<pipeline::Flow> flow;
    std::thread thread;
    std::optional<Result<pipeline::FlowEnd>> end;
    std::unique_ptr<pipeline::FlowEstate> estate;  ///< what it left to the one that replaces it
    pipeline::FlowStatus last;                     ///< of a flow that has ended
    bool handing_over = false;                     ///< it ends for another one
    bool down = false;                             ///< it should run and cannot be opened; it is tried again
    std::uint64_t reloads = 0, refused = 0;
    std::string trouble;  ///< of its reloading
  };

  void add_inputs(pipeline::FlowPlan& flow) const;
  static std::string recipe_of_input(const std::string& id) { return "enclave.yaml " + id; }
  std::vector<std::string> recipes_of(const Planned& planned) const;
  Result<void> open_own_log();
  Result<std::unique_ptr<pipeline::Flow>> open_flow(Planned& planned, const std::shared_ptr<FlowFiles>& files,
                                                    pipeline::FlowEstate* estate);
  Result<pipeline::ArchiveHandoff*> handoff_of(const std::string& id);
  void begin(Running& one);
  void run(Running& one);
  void leave();
  void close_handoffs(bool all);
  pipeline::FlowStatus status_of(const Running& one) const;
  void tell(RotatingLog::Level level, const std::string& text);
  void note(const Diagnostics& diagnostics);

  // Reloading, on a thread of its own: flow_reload.cc.
  void watch();
  Nanoseconds look(bool asked);
  bool automatic(const Part& part) const;
  Stamps watched(const Part& part, const FlowFiles& files) const;
  void look_at(std::size_t part);
  void read_anew(std::size_t part, bool asked);
  std::string why_not(std::size_t part, const std::vector<Planned>& planned, const Diagnostics& diagnostics) const;
  void refuse(std::size_t part, const std::string& why);
  void resolve(std::size_t part);
  void apply(std::size_t part, const std::shared_ptr<FlowFiles>& files, std::vector<Planned> planned, bool asked);
  void tell_changes(const FlowChanges& changes, const std::vector<Planned>& planned);
  void retire(const FlowChanges& changes, const std::vector<Planned>& planned);
  bool wait_for_archive(const std::string& id);
  void bring_up(Running& one, Planned planned, const std::shared_ptr<FlowFiles>& files, bool is_new);
  enum class Came : std::uint8_t { anew, reloaded, back };
  bool install(Running& one, std::unique_ptr<pipeline::Flow> flow, Came how, std::string trouble);
  void give_up(Running& one, const std::string& why);
  bool revive();
  Running* find(const std::string& id);

  Shell& shell_;
  Live& live_;
  std::string host_;
  std::vector<Part> parts_;
  std::unique_ptr<RotatingLog> own_log_;  ///< null: nobody asked for one
  Opening opening_;
  std::function<void()> ended_;
  std::vector<std::unique_ptr<Running>> flows_;
  std::map<std::string, std::unique_ptr<pipeline::ArchiveHandoff>> handoffs_;  ///< by flow; they stay when that goes
  std::set<std::string> noted_;  ///< of the diagnostics' warnings, each is said once
  /// flows_, handoffs_, Running::flow, last, end and what is said of a Running. Only the reloading thread changes them
  /// after start(), and a flow's own when it ends.
  mutable std::mutex mutex_;
  std::atomic<std::size_t> left_{0};  ///< flows that run or come back, and a reload that is under way
  std::atomic<bool> failed_{false}, stopping_{false};

  std::thread watcher_;
  std::mutex watch_mutex_;
  std::condition_variable woken_;
  bool over_ = false, asked_ = false;
};

}  // namespace enclave::cli
