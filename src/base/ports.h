#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The world, as an argument. Real in io/, simulated in sim/. Bytes are std::string (owned) and std::string_view.
namespace enclave {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Nanoseconds since the Unix epoch. May jump either way.
  virtual std::int64_t wall_ns() = 0;
  /// Nanoseconds since boot, suspend included. Never goes back within one boot.
  virtual std::int64_t boot_ns() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  /// Fills with bytes fit for keys.
  virtual void fill(std::span<std::uint8_t> into) = 0;
};

/// Identity of a file on this machine. `born_ns` is the birth time, 0 where the file system has none:
/// it tells a reused inode from the old one.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;
  bool operator==(const FileId&) const = default;
};

enum class FileKind : std::uint8_t { regular, directory, symlink, other };

struct FileInfo {
  FileId id;
  FileKind kind = FileKind::regular;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t mode = 0;   ///< permission bits
  std::uint64_t links = 1;  ///< 0: deleted, but still open
};

/// An open file. Not thread-safe.
class File {
 public:
  virtual ~File() = default;
  /// Reads at most into.size() bytes at `offset`. Gives their number; 0 only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
  /// Writes all of `bytes`, or fails; after a failure any prefix may have been written. Full disk: Fault::limit.
  virtual Result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
  /// Data and size are on the disk when it returns. After a failure nothing unsynced may be relied on.
  virtual Result<void> sync() = 0;
  virtual Result<void> truncate(std::uint64_t bytes) = 0;
  virtual Result<FileInfo> info() = 0;
};

struct DirectoryEntry {
  std::string name;
  FileKind kind;
};

/// Tells which directory entries changed. It may miss changes and report too many: look at the files.
class Watcher {
 public:
  struct Change {
    std::string directory;
    std::string name;  ///< empty: the directory itself
  };
  virtual ~Watcher() = default;
  /// Idempotent. Creations, modifications, renames and deletions of the directory's entries. Fault::limit when the
  /// kernel gives no more watches: the caller then relies on its periodic scan.
  virtual Result<void> watch(const std::string& directory) = 0;
  virtual void unwatch(const std::string& directory) = 0;
  /// Appends the changes since the last call. True: some were lost, so look at everything.
  virtual bool take(std::vector<Change>& changes) = 0;
  /// Readable when there is something to take; -1 where there is no such thing.
  virtual int descriptor() const = 0;
};

enum class Create : std::uint8_t {
  exclusive,  ///< must not exist (Fault::conflict)
  truncate,   ///< made anew, or emptied
  keep,       ///< opened as it is, or made
};

/// The file system. Thread-safe. Faults: absent (ENOENT), denied (EACCES, EPERM), conflict (EEXIST),
/// limit (ENOSPC, EDQUOT, EMFILE), unsupported (not a regular file), busy (EIO and the rest).
class Files {
 public:
  virtual ~Files() = default;
  /// For reading; follows symbolic links; never blocks; regular files only.
  virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  /// For reading and writing, mode 0600.
  virtual Result<std::unique_ptr<File>> create(const std::string& path, Create how) = 0;
  /// Follows symbolic links when asked to.
  virtual Result<FileInfo> info(const std::string& path, bool follow = true) = 0;
  /// In no order; without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  /// Mode 0700; one that is there already is fine. The parent must exist.
  virtual Result<void> make_directory(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// A second name for a file; Fault::conflict when `to` exists.
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Names made, renamed and removed in the directory are on the disk when it returns.
  virtual Result<void> sync_directory(const std::string& directory) = 0;
  virtual std::unique_ptr<Watcher> watcher() = 0;
};

/// What code that acts is given. All of it outlives whoever holds a World.
struct World {
  Clock& clock;
  Files& files;
  Random& random;
};

}  // namespace enclave
