#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ports.h"
#include "sim/clock.h"
#include "sim/inode.h"
#include "sim/random.h"

namespace enclave::sim {

class SimWatcher;

/// The calls of Files and File, as bits.
namespace call {
inline constexpr std::uint32_t kOpen = 1, kCreate = 2, kRead = 4, kWrite = 8, kSync = 16, kTruncate = 32, kInfo = 64,
                               kList = 128, kMakeDirectory = 256, kRename = 512, kLink = 1024, kRemove = 2048,
                               kSyncDirectory = 4096;
inline constexpr std::uint32_t kChanges =
    kCreate | kWrite | kSync | kTruncate | kMakeDirectory | kRename | kLink | kRemove | kSyncDirectory;
inline constexpr std::uint32_t kAll = 8191;
}  // namespace call

/// Calls that go wrong.
struct Failure {
  std::uint32_t calls = call::kAll;
  std::string below = {};  ///< only paths that begin with this
  Fault fault = Fault::busy;
  double probability = 0;  ///< of each such call, or
  std::uint64_t nth = 0;   ///< only the n-th such call from now, counted from 1
};

/// How much of what happens a watcher tells.
struct Watching {
  double missed = 0;         ///< probability that a change is not told
  double overflow = 0;       ///< probability that a missed change is owned up to
  Nanoseconds delay_max{0};  ///< a change may be told this late
  std::size_t watches_max = 1'000'000;
};

/// A file system in memory that keeps only what was synced, as strictly as POSIX lets it: file data after sync(), names
/// after sync_directory() of their directory. Inode numbers are used again. Absolute paths only.
/// Thread-safe where the clock stands still. Outlives its files and watchers.
class Disk : public Files {
 public:
  struct Options {
    bool births = true;  ///< false: FileId::born_ns is always 0, so a reused inode looks like the old file
    std::uint64_t device = 7;
    Watching watching;
  };
  Disk(SimClock& clock, std::uint64_t seed) : Disk(clock, seed, Options{}) {}
  Disk(SimClock& clock, std::uint64_t seed, Options options);
  ~Disk() override;

  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<std::unique_ptr<File>> create(const std::string& path, Create how) override;
  Result<FileInfo> info(const std::string& path, bool follow) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<void> make_directory(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& directory) override;
  std::unique_ptr<Watcher> watcher() override;
  // Not part of Files: the program does neither.
  Result<void> symlink(const std::string& target, const std::string& path);
  Result<void> set_modified(const std::string& path, std::int64_t wall_ns);

  /// From now on these calls go wrong, too. A failed write may have written a part; a failed sync has lost what was
  /// dirty for good.
  void fail(Failure failure);
  void heal();
  /// Files that the program made (not the log writers' files) may hold this many bytes together.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used() const { return used_; }

  /// kill -9: the `calls`-th change from now (counted from 0) is cut short, and from then on nothing works any more.
  void halt_after(std::uint64_t calls) { halt_after_ = calls; }
  void halt() { halted_ = true; }
  bool halted() const { return halted_; }
  /// Another process starts: files are as the old one left them, its open files stay dead.
  void resume();
  /// The machine loses power and comes back: what was not synced survives in part or not at all. Implies resume().
  void cut_power();
  /// What the kernel does by itself after some seconds: everything is synced.
  void flush();

  void set_watching(Watching watching) { options_.watching = watching; }
  /// Every change, as a line of text.
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }

  /// While one lives, calls are somebody else's: no failure, no halt, no capacity.
  class OtherProgram {
   public:
    explicit OtherProgram(Disk& disk) : disk_(disk), before_(disk.other_program_) { disk.other_program_ = true; }
    ~OtherProgram() { disk_.other_program_ = before_; }
    OtherProgram(const OtherProgram&) = delete;
    OtherProgram& operator=(const OtherProgram&) = delete;

   private:
    Disk& disk_;
    bool before_;
  };

 private:
  friend class SimWatcher;
  friend class OpenFile;
  struct Armed {
    Failure failure;
    std::uint64_t seen = 0;
  };
  struct Slot {
    Inode::Pointer directory;
    std::string name;
    Inode::Pointer inode;  ///< null: there is none of this name
  };

  /// Lets the call happen, or says how it fails.
  Result<void> admit(std::uint32_t which, const std::string& path);
  std::optional<Fault> injected(std::uint32_t which, const std::string& path);
  Result<Slot> slot(const std::string& path, bool follow, int depth = 0);
  Result<Inode::Pointer> existing(const std::string& path, bool follow);
  Result<Inode::Pointer> directory(const std::string& path);
  Inode::Pointer make_inode(FileKind kind);
  void unlinked(const Slot& slot);
  void settle(Inode& inode);
  void put_name(const Slot& slot, const Inode::Pointer& inode);
  void sync_names(const Inode::Pointer& directory, std::size_t count);
  void recount();
  void count_links(Inode& directory);
  void tell(const Inode::Pointer& directory, const std::string& name);
  void tell_modified(const Inode* inode);
  void trace(std::string_view what, const std::string& path);

  Result<void> resize(Inode& inode, std::uint64_t bytes, const std::string& path);
  Result<void> write(Inode& inode, std::uint64_t offset, std::string_view bytes, const std::string& path);
  Result<void> truncate(Inode& inode, std::uint64_t bytes, const std::string& path);
  Result<void> sync(Inode& inode, const std::string& path);
  FileInfo info_of(const Inode& inode) const;

  mutable std::recursive_mutex mutex_;
  SimClock& clock_;
  SimRandom random_;
  Options options_;
  Inode::Pointer root_;
  std::map<std::uint64_t, std::weak_ptr<Inode>> inodes_;
  std::set<std::uint64_t> uncounted_;  ///< inodes of other programs
  std::uint64_t moves_ = 0;
  std::int64_t births_ = 0;
  std::vector<Armed> failures_;
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t used_ = 0;
  std::optional<std::uint64_t> halt_after_;
  bool halted_ = false;
  std::uint64_t life_ = 0;  ///< which process's files are alive
  bool other_program_ = false;
  std::vector<SimWatcher*> watchers_;
  std::function<void(const std::string&)> trace_;
};

/// What daemons and logrotate do to log files. Their files are synced at once unless `durable` is false: a power cut
/// then takes from them as from everyone.
class LogWriter {
 public:
  explicit LogWriter(Disk& disk, bool durable = true) : disk_(disk), durable_(durable) {}
  /// Makes the file when it is missing.
  void append(const std::string& path, std::string_view bytes);
  void rename(const std::string& from, const std::string& to);
  /// Copies the content to `to` and empties the file, which keeps its inode.
  void copytruncate(const std::string& path, const std::string& to);
  void remove(const std::string& path);
  /// Replaces the file by `path`.gz, which keeps the time of its last change, as gzip does it.
  void gzip(const std::string& path);
  void symlink(const std::string& target, const std::string& path);
  void make_directories(const std::string& path);
  bool exists(const std::string& path);
  std::string content(const std::string& path);

 private:
  void settle(const std::string& path);
  Disk& disk_;
  bool durable_;
};

/// The gzip form of `bytes` (RFC 1952).
std::string gzip_of(std::string_view bytes);

}  // namespace enclave::sim
