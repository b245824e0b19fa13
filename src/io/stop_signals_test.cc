#include "io/stop_signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>

namespace enclave::io {
namespace {

TEST(StopSignals, AskToStopInsteadOfEndingTheProcess) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::promise<void> told;
    const auto signals = StopSignals::catch_them([&] { told.set_value(); });
    ASSERT_TRUE(signals);
    ASSERT_EQ(::kill(::getpid(), signal), 0);
    told.get_future().get();
  }
}

TEST(StopSignals, ASecondSignalEndsTheProcessAtOnce) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto signals = StopSignals::catch_them([] { ::kill(::getpid(), SIGTERM); });
    ::kill(::getpid(), SIGTERM);
    for (;;) ::pause();
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(StopSignals, AHangupIsACallEachTimeAndNoStop) {
  std::promise<void> first, second;
  int calls = 0;
  std::atomic<bool> stopped{false};
  const auto signals =
      StopSignals::catch_them([&] { stopped = true; }, [&] { (++calls == 1 ? first : second).set_value(); });
  ASSERT_TRUE(signals);
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  first.get_future().get();
  ASSERT_EQ(::kill(::getpid(), SIGHUP), 0);
  second.get_future().get();
  EXPECT_FALSE(stopped);
}

TEST(StopSignals, AHangupAfterAStopIsPassedOver) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::promise<void> stopped;
    const auto signals = StopSignals::catch_them([&] { stopped.set_value(); }, [] { ::_exit(1); });
    ::kill(::getpid(), SIGTERM);
    stopped.get_future().get();
    ::kill(::getpid(), SIGHUP);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignals, PutsBackWhatWasBefore) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    ASSERT_TRUE(StopSignals::catch_them([] {}));
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

}  // namespace
}  // namespace enclave::io
