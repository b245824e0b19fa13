#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/flow_files.h"
#include "cli/live.h"
#include "cli/rotating_log.h"
#include "pipeline/engine.h"

namespace enclave::cli {

/// Runs flows beside the archive, or alone.
class FlowRunner {
 public:
  FlowRunner(Shell& shell, Live& live) : shell_(shell), live_(live), files_(shell) {}
  ~FlowRunner() { finish(); }

  /// Fault::invalid with all mistakes when there is one.
  Result<void> plan(const FlowRequest& request, const std::string& host);
  bool empty() const { return planned_.empty(); }
  bool needs_archive() const;
  /// A flow reads what enclave.yaml names as inputs, so the engine does not.
  bool reads_enclave_inputs() const;

  struct Opening {
    std::string state;                         ///< directory; the flows' own lie below it
    const pipeline::Config* config = nullptr;  ///< null: there is no enclave.yaml
    pipeline::Engine* engine = nullptr;        ///< null: nothing goes to the archive
    std::string host;
    bool once = false;
  };
  Result<void> open(const Opening& opening);

  /// `ended` is called from a flow's thread when it has ended.
  void start(std::function<void()> ended);
  /// From any thread and from a signal handler, after start().
  void stop();
  /// Waits for all; the first error of a flow. False: something is left for the next start.
  Result<bool> finish();
  bool running() const { return left_.load() > 0; }
  /// A flow ended because it cannot go on.
  bool failed() const { return failed_.load(); }

  /// Where the files ask for an API; after plan().
  const std::vector<pipeline::ListenAddress>& apis() const { return files_.apis(); }

  std::vector<pipeline::FlowStatus> status() const;
  /// One JSON object with the state of every flow (docs/formats/flows.md), LF-terminated.
  std::string status_json() const;
  std::uint64_t events_in() const;

 private:
  struct Running {
    std::unique_ptr<pipeline::Flow> flow;
    std::thread thread;
    std::optional<Result<pipeline::FlowEnd>> end;
    pipeline::FlowStatus last;  ///< of a flow that has ended
  };
  void add_inputs(FlowFiles::Planned& planned, const Opening& opening) const;
  Result<void> open_own_log();

  Shell& shell_;
  Live& live_;
  FlowFiles files_;
  std::vector<FlowFiles::Planned> planned_;
  std::unique_ptr<RotatingLog> own_log_;  ///< null: nobody asked for one
  std::vector<std::unique_ptr<Running>> flows_;
  mutable std::mutex mutex_;  ///< Running::flow going, Running::last coming
  std::atomic<std::size_t> left_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace enclave::cli
