#include <atomic>

#include "base/files.h"
#include "cli/flow_runner.h"
#include "cli/metrics_server.h"
#include "cli/session.h"
#include "io/host.h"
#include "io/stop_signals.h"
#include "report/layout.h"

namespace enclave::cli {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr std::uint64_t kOpenFiles = 65'536;

class FlowSession {
 public:
  FlowSession(const std::string& state, const SessionOptions& options, Shell& shell)
      : state_(state),
        options_(options),
        shell_(shell),
        live_(options.json ? shell.err : shell.out, shell.err, shell.err_terminal) {}

  Result<int> run() {
    const io::Host host = TRY(io::this_host(shell_.world.files));
    TRY(flows_.plan(options_.flows, host.hostname));
    if (flows_.needs_archive())
      return Error{Fault::absent,
                   "events go to the archive, and there is no enclave.yaml that says where it is; make "
                   "one with: enclave init"};
    TRY(make_directories(shell_.world.files, state_));
    const auto lock = TRY(lock_state(join_path(state_, kLockName)));
    (void)io::raise_open_files(kOpenFiles);
    auto waiter = TRY(io::Waiter::make());
    const auto signals = TRY(io::StopSignals::catch_them([&] { flows_.stop(); }, [&] { flows_.reload(); }));
    TRY(flows_.open({state_, nullptr, nullptr, host.hostname, options_.once}));
    const auto metrics = TRY(serve_metrics(options_.metrics, {}, flows_.apis(), shell_, live_, [&] {
      return pipeline::Observed{0, 0, {}, std::nullopt, flows_.status()};
    }));
    flows_.start([&] {
      if (flows_.failed()) flows_.stop();
      waiter.wake();
    });
    while (flows_.running()) {
      report();
      (void)waiter.wait({}, kLookEvery);
    }
    const bool all = TRY(flows_.finish());
    report();
    live_.clear();
    if (options_.json) shell_.out << flows_.status_json();
    if (!all) live_.say("Outputs are away: what they did not get is read again at the next start.");
    return options_.once && !all ? kFailed : kGood;
  }

 private:
  void report() {
    (void)replace_file(shell_.world.files, join_path(state_, kFlowsName), flows_.status_json());
    live_.line(report::counted(flows_.events_in(), "event"));
  }

  const std::string& state_;
  const SessionOptions& options_;
  Shell& shell_;
  Live live_;
  FlowRunner flows_{shell_, live_};
};

}  // namespace

Result<int> run_flows(const std::string& state, const SessionOptions& options, Shell& shell) {
  return FlowSession(state, options, shell).run();
}

}  // namespace enclave::cli
