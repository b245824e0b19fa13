#include "sim/disk.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "base/files.h"

namespace enclave::sim {
namespace {
using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(Disk& disk, const std::string& path) {
  auto bytes = read_file(disk, path, 1 << 20);
  return bytes ? *bytes : std::string(name_of(bytes.error().fault()));
}

Result<void> write(Disk& disk, const std::string& path, std::string_view bytes, bool sync) {
  auto file = TRY(disk.create(path, Create::keep));
  TRY(file->write_at(TRY(file->info()).bytes, bytes));
  if (sync) TRY(file->sync());
  return {};
}

TEST(Disk, ForgetsAFileWhoseDirectoryWasNotSynced) {
  bool forgot = false;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimClock clock;
    Disk disk(clock, seed);
    ASSERT_TRUE(write(disk, "/a", "text", true));
    disk.cut_power();
    EXPECT_THAT(text_of(disk, "/a"), AnyOf("text", "absent")) << "seed " << seed;
    forgot = forgot || text_of(disk, "/a") == "absent";
  }
  EXPECT_TRUE(forgot);
}

TEST(Disk, KeepsForEverWhatWasSynced) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimClock clock;
    Disk disk(clock, seed);
    ASSERT_TRUE(disk.make_directory("/d"));
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(write(disk, "/d/a", "one ", true));
    ASSERT_TRUE(disk.sync_directory("/d"));
    ASSERT_TRUE(write(disk, "/d/a", "two", false));
    disk.cut_power();
    EXPECT_EQ(text_of(disk, "/d/a").substr(0, 4), "one ") << "seed " << seed;
    EXPECT_LE(text_of(disk, "/d/a").size(), 7u) << "seed " << seed;
  }
}

TEST(Disk, TearsAndReordersWritesThatWereNotSynced) {
  bool torn = false;
  bool hole = false;
  const std::string first(700, 'a');
  const std::string second(700, 'b');
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimClock clock;
    Disk disk(clock, seed);
    ASSERT_TRUE(write(disk, "/a", "", true));
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(write(disk, "/a", first, false));
    ASSERT_TRUE(write(disk, "/a", second, false));
    disk.cut_power();
    const std::string found = text_of(disk, "/a");
    torn = torn || (found.size() > 0 && found.size() < 700);
    hole = hole || (found.size() > 700 && found[0] == '\0' && found[700] == 'b');
  }
  EXPECT_TRUE(torn);
  EXPECT_TRUE(hole);
}

TEST(Disk, RenamesAtomicallyOverAPowerCut) {
  int moved = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SimClock clock;
    Disk disk(clock, seed);
    ASSERT_TRUE(disk.make_directory("/d"));
    ASSERT_TRUE(write(disk, "/a", "new", true));
    ASSERT_TRUE(write(disk, "/d/b", "old", true));
    disk.flush();
    ASSERT_TRUE(disk.rename("/a", "/d/b"));
    disk.cut_power();
    const bool there = text_of(disk, "/a") == "absent";
    EXPECT_EQ(text_of(disk, "/d/b"), there ? "new" : "old") << "seed " << seed;
    moved += there ? 1 : 0;
  }
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, 40);
}

TEST(Disk, SyncsBothHalvesOfARenameBetweenDirectories) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimClock clock;
    Disk disk(clock, seed);
    ASSERT_TRUE(disk.make_directory("/d"));
    ASSERT_TRUE(write(disk, "/a", "text", true));
    disk.flush();
    ASSERT_TRUE(disk.rename("/a", "/d/b"));
    ASSERT_TRUE(disk.sync_directory("/d"));
    disk.cut_power();
    EXPECT_EQ(text_of(disk, "/a"), "absent") << "seed " << seed;
    EXPECT_EQ(text_of(disk, "/d/b"), "text") << "seed " << seed;
  }
}

TEST(Disk, KeepsEverythingWhenOnlyTheProcessDies) {
  SimClock clock;
  Disk disk(clock, 1);
  auto file = *disk.create("/a", Create::exclusive);
  ASSERT_TRUE(file->write_at(0, "text"));
  disk.halt();
  EXPECT_FALSE(file->write_at(4, "more"));
  EXPECT_FALSE(disk.create("/b", Create::keep));
  disk.resume();
  EXPECT_EQ(file->write_at(4, "more").error().fault(), Fault::busy);
  EXPECT_EQ(text_of(disk, "/a"), "text");
}

TEST(Disk, DiesAtTheGivenChange) {
  SimClock clock;
  Disk disk(clock, 3);
  disk.halt_after(2);
  EXPECT_TRUE(write(disk, "/a", "x", false));
  EXPECT_FALSE(disk.halted());
  (void)disk.sync_directory("/");
  EXPECT_TRUE(disk.halted());
  EXPECT_FALSE(disk.info("/a", true));
}

TEST(Disk, LosesWhatAFailedSyncHeld) {
  SimClock clock;
  Disk disk(clock, 1);
  auto file = *disk.create("/a", Create::exclusive);
  ASSERT_TRUE(disk.sync_directory("/"));
  ASSERT_TRUE(file->write_at(0, "text"));
  disk.fail({.calls = call::kSync, .nth = 1});
  EXPECT_EQ(file->sync().error().fault(), Fault::busy);
  EXPECT_TRUE(file->sync());
  disk.cut_power();
  EXPECT_EQ(text_of(disk, "/a"), "");
}

TEST(Disk, IsFullAtItsCapacityUntilSpaceIsFreed) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter(disk).append("/log", std::string(1000, 'x'));
  disk.set_capacity(10);
  ASSERT_TRUE(write(disk, "/a", "12345678", true));
  EXPECT_EQ(write(disk, "/b", "12345678", false).error().fault(), Fault::limit);
  ASSERT_TRUE(disk.remove("/a"));
  ASSERT_TRUE(disk.remove("/b"));
  EXPECT_EQ(disk.used(), 0u);
  EXPECT_TRUE(write(disk, "/c", "12345678", false));
}

TEST(Disk, UsesInodesAgainAndTellsThemApartByBirth) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.append("/a", "1");
  const FileId before = disk.info("/a", true)->id;
  writer.remove("/a");
  writer.append("/b", "2");
  const FileId after = disk.info("/b", true)->id;
  EXPECT_EQ(before.inode, after.inode);
  EXPECT_NE(before.born_ns, after.born_ns);
}

TEST(Disk, KeepsARemovedFileReadableWhileItIsOpen) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.append("/a", "text");
  auto file = *disk.open("/a");
  writer.remove("/a");
  writer.append("/b", "other");
  std::string into(4, '\0');
  EXPECT_EQ(*file->read_at(0, into), 4u);
  EXPECT_EQ(into, "text");
  EXPECT_EQ(file->info()->links, 0u);
  EXPECT_NE(file->info()->id.inode, disk.info("/b", true)->id.inode);
}

TEST(Disk, FollowsSymbolicLinks) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.make_directories("/var/log");
  writer.append("/var/log/a", "text");
  writer.symlink("log/a", "/var/current");
  writer.symlink("/loop", "/loop");
  EXPECT_EQ(text_of(disk, "/var/current"), "text");
  EXPECT_EQ(disk.info("/var/current", false)->kind, FileKind::symlink);
  EXPECT_EQ(disk.open("/loop").error().fault(), Fault::invalid);
}

TEST(Disk, TellsWatchersOfChanges) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.append("/a", "text");
  const auto watcher = disk.watcher();
  ASSERT_TRUE(watcher->watch("/"));
  writer.append("/a", "more");
  writer.append("/b", "x");
  std::vector<Watcher::Change> changes;
  EXPECT_FALSE(watcher->take(changes));
  std::vector<std::string> names;
  for (const auto& change : changes) names.push_back(change.directory + change.name);
  EXPECT_THAT(names, ElementsAre("/a", "/b"));
}

TEST(Disk, TellsWatchersLateOrNever) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  const auto watcher = disk.watcher();
  ASSERT_TRUE(watcher->watch("/"));
  disk.set_watching({.delay_max = std::chrono::seconds(1000)});
  writer.append("/a", "x");
  std::vector<Watcher::Change> changes;
  EXPECT_FALSE(watcher->take(changes));
  EXPECT_THAT(changes, IsEmpty());
  clock.advance(std::chrono::seconds(1001));
  EXPECT_FALSE(watcher->take(changes));
  EXPECT_EQ(changes.size(), 1u);
  disk.set_watching({.missed = 1, .overflow = 1});
  writer.append("/a", "y");
  EXPECT_TRUE(watcher->take(changes));
}

TEST(LogWriter, RotatesByCopyingAndKeepsTheInode) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.append("/a", "text");
  const FileId id = disk.info("/a", true)->id;
  writer.copytruncate("/a", "/a.1");
  EXPECT_EQ(disk.info("/a", true)->id, id);
  EXPECT_EQ(text_of(disk, "/a"), "");
  EXPECT_EQ(text_of(disk, "/a.1"), "text");
}

TEST(LogWriter, CompressesSoThatZlibReadsIt) {
  SimClock clock;
  Disk disk(clock, 1);
  LogWriter writer(disk);
  writer.append("/a", "text\n");
  writer.gzip("/a");
  EXPECT_EQ(text_of(disk, "/a"), "absent");
  std::string packed = text_of(disk, "/a.gz");
  std::string plain(100, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(plain, "text\n");
}

}  // namespace
}  // namespace enclave::sim
