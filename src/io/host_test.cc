#include "io/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/files.h"
#include "io/system.h"

namespace enclave::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class HostTest : public ::testing::Test {
 protected:
  HostTest() {
    std::string name = (std::filesystem::temp_directory_path() / "enclave-host-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~HostTest() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, std::string_view text) {
    ASSERT_TRUE(make_directories(files_, parent_of(root_ + path)));
    ASSERT_TRUE(replace_file(files_, root_ + path, text));
  }
  Files& files_ = real_files();
  std::string root_;
};

TEST_F(HostTest, ThisHostHasABootIdAndAnInstance) {
  const auto host = this_host(files_);
  ASSERT_TRUE(host) << host.error().text();
  EXPECT_EQ(host->boot_id.size(), 36U);
  EXPECT_FALSE(host->instance.empty());
}

TEST_F(HostTest, TheInstanceIsTheCloudsThenTheMachinesThenTheName) {
  EXPECT_EQ(instance_of(files_, "web 1", root_), "web-1");
  EXPECT_EQ(instance_of(files_, "", root_), "unknown");
  write("/etc/machine-id", "uninitialized\n");
  EXPECT_EQ(instance_of(files_, "web", root_), "web");
  write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  EXPECT_EQ(instance_of(files_, "web", root_), "0123456789abcdef0123456789abcdef");
  write("/run/cloud-init/instance-data.json", R"({"v1": {"instance_id" : "i-0abc", "region": "x"}})");
  EXPECT_EQ(instance_of(files_, "web", root_), "i-0abc");
  write("/run/cloud-init/instance-data.json", R"({"v1": {"instance_id" : )");
  EXPECT_EQ(instance_of(files_, "web", root_), "0123456789abcdef0123456789abcdef");
  write("/var/lib/cloud/data/instance-id", "../../9f2c\n");
  EXPECT_EQ(instance_of(files_, "web", root_), "..-..-9f2c");
  write("/var/lib/cloud/data/instance-id", "..\n");
  EXPECT_EQ(instance_of(files_, "web", root_), "0123456789abcdef0123456789abcdef");
}

TEST_F(HostTest, ALockedFileSaysWhoHoldsIt) {
  const std::string path = root_ + "/lock";
  {
    const auto lock = lock_file(path);
    ASSERT_TRUE(lock) << lock.error().text();
    const auto second = lock_file(path);
    EXPECT_EQ(is_locked(path), true);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault(), Fault::conflict);
    EXPECT_THAT(second.error().text(), HasSubstr(fmt::format("process {}", ::getpid())));
  }
  EXPECT_EQ(is_locked(path), false);
  EXPECT_EQ(is_locked(root_ + "/missing/lock"), false);
  EXPECT_TRUE(lock_file(path));
  EXPECT_EQ(lock_file(root_ + "/missing/lock").error().fault(), Fault::absent);
}

TEST_F(HostTest, ALockGoesWithItsProcess) {
  const std::string path = root_ + "/lock";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = lock_file(path);
    const char done = lock ? '1' : '0';
    (void)!::write(ends[1], &done, 1);
    for (;;) ::pause();
  }
  char done = 0;
  ASSERT_EQ(::read(ends[0], &done, 1), 1);
  ASSERT_EQ(done, '1');
  EXPECT_THAT(lock_file(path).error().text(), HasSubstr(fmt::format("process {}", child)));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(lock_file(path));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(HostTest, TheWaiterTellsWhatIsReadableAndIsWokenFromAnotherThread) {
  auto waiter = Waiter::make().value();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const std::vector<int> fds = {-1, ends[0]};
  EXPECT_THAT(waiter.wait(fds, 0ns).value(), IsEmpty());
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_THAT(waiter.wait(fds, -1ns).value(), ElementsAre(ends[0]));
  waiter.wake();
  waiter.wake();
  EXPECT_THAT(waiter.wait({}, -1ns).value(), IsEmpty());
  std::thread other([&] { waiter.wake(); });
  EXPECT_THAT(waiter.wait({}, -1ns).value(), IsEmpty());
  other.join();
  ::close(ends[1]);
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_THAT(waiter.wait(fds, -1ns).value(), ElementsAre(ends[0])) << "a closed peer is an event";
  ::close(ends[0]);
}

TEST_F(HostTest, CoreDumpsAreOffAndOpenFilesRaised) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit core{};
    const bool good = forbid_core_dumps() && ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
    rlimit files{};
    const auto raised = raise_open_files(1 << 20);
    const bool same = ::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == raised;
    ::_exit(good && same ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace enclave::io
