#include "io/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>
#include <utility>

#include "io/host.h"
#include "io/posix.h"

namespace enclave::io {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

class Catcher : public StopSignals {
 public:
  Catcher(Descriptor signals, Waiter waiter, sigset_t before, std::function<void()> stop, std::function<void()> reload)
      : signals_(std::move(signals)),
        waiter_(std::move(waiter)),
        before_(before),
        stop_(std::move(stop)),
        reload_(std::move(reload)),
        thread_([this] { wait(); }) {}

  ~Catcher() override {
    over_ = true;
    waiter_.wake();
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  void wait() {
    while (!over_) {
      const std::array<int, 1> wanted{told_ ? -1 : signals_.get()};
      const auto ready = waiter_.wait(wanted, Nanoseconds(-1));
      if (!ready || ready->empty() || told_) continue;
      signalfd_siginfo info{};
      if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
      if (info.ssi_signo == SIGHUP && info.ssi_code != SI_KERNEL) {
        reload_();
        continue;
      }
      told_ = true;
      // From here on this thread is the one that a second signal meets, with its own meaning: the end.
      const sigset_t stops = stop_set();
      pthread_sigmask(SIG_UNBLOCK, &stops, nullptr);
      stop_();
    }
  }

  Descriptor signals_;
  Waiter waiter_;
  sigset_t before_;
  std::function<void()> stop_, reload_;
  std::atomic<bool> over_{false};
  bool told_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<StopSignals>> StopSignals::catch_them(std::function<void()> stop, std::function<void()> reload) {
  sigset_t caught = stop_set(), before;
  if (reload) sigaddset(&caught, SIGHUP);
  auto waiter = TRY(Waiter::make());
  pthread_sigmask(SIG_BLOCK, &caught, &before);
  Descriptor signals(::signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.is_open()) {
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return system_error(error, "signalfd", "make one");
  }
  return std::unique_ptr<StopSignals>(
      std::make_unique<Catcher>(std::move(signals), std::move(waiter), before, std::move(stop), std::move(reload)));
}

}  // namespace enclave::io
