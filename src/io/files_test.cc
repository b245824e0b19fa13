#include "base/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/posix.h"
#include "io/system.h"

namespace enclave::io {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "enclave-io-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  ~FilesTest() override { std::filesystem::remove_all(root_); }
  std::string at(std::string_view name) const { return join_path(root_, name); }

  Files& files_ = real_files();
  std::string root_;
};

TEST_F(FilesTest, WhatIsWrittenIsReadBackAndPrivate) {
  auto file = files_.create(at("a"), Create::exclusive).value();
  ASSERT_TRUE(file->write_at(0, "hello"));
  ASSERT_TRUE(file->write_at(7, "world"));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(read_file(files_, at("a"), 100).value(), std::string("hello\0\0world", 12));
  const auto info = files_.info(at("a")).value();
  EXPECT_EQ(info.bytes, 12U);
  EXPECT_EQ(info.mode, 0600U);
  EXPECT_EQ(info.links, 1U);
  EXPECT_EQ(info.id, file->info().value().id);
  ASSERT_TRUE(file->truncate(5));
  EXPECT_EQ(read_file(files_, at("a"), 100).value(), "hello");
  EXPECT_EQ(read_file(files_, at("a"), 4).error().fault(), Fault::limit);
}

TEST_F(FilesTest, CreateKeepsEmptiesOrRefusesWhatIsThere) {
  ASSERT_TRUE(replace_file(files_, at("a"), "old"));
  EXPECT_EQ(files_.create(at("a"), Create::exclusive).error().fault(), Fault::conflict);
  ASSERT_TRUE(files_.create(at("a"), Create::keep));
  EXPECT_EQ(read_file(files_, at("a"), 100).value(), "old");
  ASSERT_TRUE(files_.create(at("a"), Create::truncate));
  EXPECT_EQ(read_file(files_, at("a"), 100).value(), "");
}

TEST_F(FilesTest, CreateFileNeverTouchesAnExistingOne) {
  ASSERT_TRUE(create_file(files_, at("a"), "first"));
  EXPECT_EQ(create_file(files_, at("a"), "second").error().fault(), Fault::conflict);
  EXPECT_EQ(read_file(files_, at("a"), 100).value(), "first");
  EXPECT_EQ(files_.list(root_).value().size(), 1U);
}

TEST_F(FilesTest, ADeletedFileThatIsOpenHasNoLinks) {
  ASSERT_TRUE(replace_file(files_, at("a"), "x"));
  auto file = files_.open(at("a")).value();
  ASSERT_TRUE(files_.remove(at("a")));
  EXPECT_EQ(file->info().value().links, 0U);
  EXPECT_EQ(files_.info(at("a")).error().fault(), Fault::absent);
  EXPECT_EQ(files_.remove(at("a")).error().fault(), Fault::absent);
}

TEST_F(FilesTest, OnlyRegularFilesAreOpenedAndNoneBlocks) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  for (const std::string& path : {at("pipe"), root_, std::string("/dev/null")}) {
    EXPECT_EQ(files_.open(path).error().fault(), Fault::unsupported) << path;
    EXPECT_EQ(files_.create(path, Create::keep).error().fault(), Fault::unsupported) << path;
  }
}

TEST_F(FilesTest, ErrorsNameThePathTheReasonAndTheMend) {
  EXPECT_THAT(files_.open(at("missing")).error().text(),
              HasSubstr(at("missing") + ": cannot look at it: No such file"));
  EXPECT_EQ(system_error(ENOSPC, "/spool", "write it").fault(), Fault::limit);
  EXPECT_THAT(system_error(ENOSPC, "/spool", "write it").text(), HasSubstr("free space"));
  EXPECT_EQ(system_error(EACCES, "/x", "open it").fault(), Fault::denied);
  EXPECT_EQ(system_error(EIO, "/x", "read it").fault(), Fault::busy);
  EXPECT_EQ(files_.open(std::string("a\0b", 3)).error().fault(), Fault::invalid);
  EXPECT_EQ(files_.open("").error().fault(), Fault::invalid);
  EXPECT_EQ(files_.rename(at("missing"), at("b")).error().fault(), Fault::absent);
  EXPECT_EQ(files_.link(at("missing"), at("b")).error().fault(), Fault::absent);
  EXPECT_EQ(files_.sync_directory(at("missing")).error().fault(), Fault::absent);
}

TEST_F(FilesTest, AFullDescriptorTableIsALimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(replace_file(files_, at("a"), "x"));
  const Descriptor highest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const rlimit none{static_cast<rlim_t>(highest.get()) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto opened = files_.open(at("a"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault(), Fault::limit);
  EXPECT_THAT(opened.error().text(), HasSubstr("ulimit -n"));
}

TEST_F(FilesTest, DirectoriesAreMadeOnceAndListed) {
  ASSERT_TRUE(make_directories(files_, at("x/y/z")));
  ASSERT_TRUE(files_.make_directory(at("x")));
  EXPECT_EQ(files_.info(at("x")).value().mode, 0700U);
  ASSERT_TRUE(replace_file(files_, at("x/f"), "1"));
  ASSERT_EQ(::symlink("f", at("x/s").c_str()), 0);
  EXPECT_EQ(files_.make_directory(at("x/f")).error().fault(), Fault::conflict);
  auto entries = files_.list(at("x")).value();
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].kind, FileKind::regular);
  EXPECT_EQ(entries[1].kind, FileKind::symlink);
  EXPECT_EQ(entries[2].kind, FileKind::directory);
  EXPECT_EQ(files_.info(at("x/s"), false).value().kind, FileKind::symlink);
  EXPECT_EQ(files_.info(at("x/s"), true).value().kind, FileKind::regular);
}

TEST_F(FilesTest, ANewFileInAReusedInodeHasAnotherIdentity) {
  ASSERT_TRUE(replace_file(files_, at("a"), "x"));
  const auto before = files_.info(at("a")).value().id;
  if (before.born_ns == 0) GTEST_SKIP() << "this file system has no birth times";
  ASSERT_TRUE(files_.remove(at("a")));
  ASSERT_TRUE(replace_file(files_, at("a"), "x"));
  EXPECT_NE(files_.info(at("a")).value().id, before);
}

std::vector<std::string> changed_names(Watcher& watcher) {
  pollfd waiting{watcher.descriptor(), POLLIN, 0};
  ENSURE(::poll(&waiting, 1, 10'000) == 1);
  std::vector<Watcher::Change> changes;
  EXPECT_FALSE(watcher.take(changes));
  std::vector<std::string> names;
  for (const auto& change : changes) names.push_back(change.directory + "|" + change.name);
  return names;
}

TEST_F(FilesTest, TheWatcherTellsCreationRenameAndRemoval) {
  auto watcher = files_.watcher();
  ASSERT_TRUE(watcher->watch(root_));
  ASSERT_TRUE(watcher->watch(root_));
  auto file = files_.create(at("a"), Create::exclusive).value();
  EXPECT_THAT(changed_names(*watcher), ::testing::Contains(root_ + "|a"));
  ASSERT_TRUE(files_.rename(at("a"), at("b")));
  EXPECT_THAT(changed_names(*watcher), ::testing::IsSupersetOf({root_ + "|a", root_ + "|b"}));
  ASSERT_TRUE(file->write_at(0, "x"));
  EXPECT_THAT(changed_names(*watcher), ::testing::Contains(root_ + "|b"));
  watcher->unwatch(root_);
  ASSERT_TRUE(files_.remove(at("b")));
  std::vector<Watcher::Change> changes;
  EXPECT_FALSE(watcher->take(changes));
  EXPECT_THAT(changes, IsEmpty());
}

TEST_F(FilesTest, AWatchedDirectoryThatGoesIsReportedAndCanBeWatchedAgain) {
  auto watcher = files_.watcher();
  ASSERT_TRUE(files_.make_directory(at("d")));
  ASSERT_TRUE(watcher->watch(at("d")));
  std::filesystem::remove(at("d"));
  EXPECT_THAT(changed_names(*watcher), ::testing::Contains(at("d") + "|"));
  EXPECT_EQ(watcher->watch(at("d")).error().fault(), Fault::absent);
  ASSERT_TRUE(files_.make_directory(at("d")));
  ASSERT_TRUE(watcher->watch(at("d")));
  ASSERT_TRUE(replace_file(files_, at("d/f"), "x"));
  EXPECT_THAT(changed_names(*watcher), ::testing::Contains(at("d") + "|f"));
}

TEST_F(FilesTest, AnOverflowOfTheWatcherIsSaid) {
  auto watcher = files_.watcher();
  ASSERT_TRUE(watcher->watch(root_));
  std::size_t count = 0;
  ASSERT_TRUE(std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> count);
  if (count > 100'000) GTEST_SKIP() << "the queue of this machine is too long to fill: " << count;
  // Renames alternate names, so the kernel cannot join them into one event.
  ASSERT_TRUE(replace_file(files_, at("a"), "x"));
  for (std::size_t i = 0; i <= count / 2; ++i) {
    ASSERT_EQ(::rename(at("a").c_str(), at("b").c_str()), 0);
    ASSERT_EQ(::rename(at("b").c_str(), at("a").c_str()), 0);
  }
  std::vector<Watcher::Change> changes;
  EXPECT_TRUE(watcher->take(changes));
}

TEST(RealWorld, ClockGoesOnAndRandomDiffers) {
  const World world = real_world();
  EXPECT_GT(world.clock.wall_ns(), 1'600'000'000'000'000'000);
  const auto before = world.clock.boot_ns();
  EXPECT_GT(before, 0);
  EXPECT_GE(world.clock.boot_ns(), before);
  std::array<std::uint8_t, 1024> a{}, b{};
  world.random.fill(a);
  world.random.fill(b);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace enclave::io
