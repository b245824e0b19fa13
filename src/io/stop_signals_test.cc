#include "io/stop_signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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
