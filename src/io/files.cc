#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "io/posix.h"
#include "io/system.h"
#include "io/watcher.h"

namespace enclave::io {
namespace {

constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_BTIME;

std::int64_t nanoseconds_of(const statx_timestamp& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileKind kind_of(unsigned mode) {
  if (S_ISREG(mode)) return FileKind::regular;
  if (S_ISDIR(mode)) return FileKind::directory;
  if (S_ISLNK(mode)) return FileKind::symlink;
  return FileKind::other;
}

FileInfo info_of(const struct statx& found) {
  FileInfo info;
  info.id.device = std::uint64_t{found.stx_dev_major} << 32 | found.stx_dev_minor;
  info.id.inode = found.stx_ino;
  info.id.born_ns = (found.stx_mask & STATX_BTIME) != 0 ? nanoseconds_of(found.stx_btime) : 0;
  info.kind = kind_of(found.stx_mode);
  info.bytes = found.stx_size;
  info.modified_ns = nanoseconds_of(found.stx_mtime);
  info.mode = found.stx_mode & 07777U;
  info.links = found.stx_nlink;
  return info;
}

// A NUL would end the path early, so that another file is meant than the caller named.
Result<void> check_path(const std::string& path) {
  if (path.empty()) return Error{Fault::invalid, "a path is empty"};
  if (path.find('\0') != std::string::npos)
    return Error{Fault::invalid, "{}: a path must not hold a NUL byte", path.substr(0, path.find('\0'))};
  return {};
}

Result<FileInfo> info_at(int directory, const std::string& path, int flags) {
  struct statx found {};
  const char* name = (flags & AT_EMPTY_PATH) != 0 ? "" : path.c_str();
  if (uninterrupted([&] { return ::statx(directory, name, flags, kWanted, &found); }) != 0)
    return system_error(errno, path, "look at it");
  return info_of(found);
}

class SystemFile final : public File {
 public:
  SystemFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    const ssize_t got =
        uninterrupted([&] { return ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
    if (got < 0) return system_error(errno, path_, "read it");
    return static_cast<std::size_t>(got);
  }

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          uninterrupted([&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (put < 0) return system_error(errno, path_, "write it");
      // A regular file takes at least one byte or says why not; zero must not become an endless loop.
      if (put == 0) return system_error(EIO, path_, "write it");
      bytes.remove_prefix(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
    return {};
  }

  Result<void> sync() override {
    if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) != 0) return system_error(errno, path_, "sync it");
    return {};
  }

  Result<void> truncate(std::uint64_t bytes) override {
    if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0)
      return system_error(errno, path_, "set its size");
    return {};
  }

  Result<FileInfo> info() override { return info_at(fd_.get(), path_, AT_EMPTY_PATH); }

 private:
  Descriptor fd_;
  std::string path_;
};

Error not_regular(const std::string& path, FileKind kind) {
  return Error{Fault::unsupported, "{}: is {}, not a regular file", path,
               kind == FileKind::directory ? "a directory" : "a device, pipe or socket"};
}

class SystemFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path) override {
    TRY(check_path(path));
    // Looked at before it is opened, since opening a device can do something; and after, since it may be another by
    // then.
    if (const auto before = TRY(info_at(AT_FDCWD, path, 0)); before.kind != FileKind::regular)
      return not_regular(path, before.kind);
    return opened(path, O_RDONLY | O_NONBLOCK, "open it");
  }

  Result<std::unique_ptr<File>> create(const std::string& path, Create how) override {
    TRY(check_path(path));
    const int flags = how == Create::exclusive ? O_EXCL : how == Create::truncate ? O_TRUNC : 0;
    return opened(path, O_RDWR | O_CREAT | O_NONBLOCK | flags, "create it");
  }

  Result<FileInfo> info(const std::string& path, bool follow) override {
    TRY(check_path(path));
    return info_at(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    TRY(check_path(directory));
    const int fd = uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return system_error(errno, directory, "list it");
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
    if (!stream) {
      const int error = errno;
      ::close(fd);
      return system_error(error, directory, "list it");
    }
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), kind_in(fd, *entry)});
    }
    if (errno != 0) return system_error(errno, directory, "list it");
    return entries;
  }

  Result<void> make_directory(const std::string& path) override {
    TRY(check_path(path));
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    const int error = errno;
    if (error == EEXIST && TRY(info(path, true)).kind == FileKind::directory) return {};
    return system_error(error, path, "make the directory");
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    TRY(check_path(from));
    TRY(check_path(to));
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, from, fmt::format("rename it to {}", to));
    return {};
  }

  Result<void> link(const std::string& from, const std::string& to) override {
    TRY(check_path(from));
    TRY(check_path(to));
    if (::link(from.c_str(), to.c_str()) == 0) return {};
    if (errno == EEXIST) return Error{Fault::conflict, "{}: is there already", to};
    return system_error(errno, from, fmt::format("link it to {}", to));
  }

  Result<void> remove(const std::string& path) override {
    TRY(check_path(path));
    if (::unlink(path.c_str()) != 0) return system_error(errno, path, "remove it");
    return {};
  }

  Result<void> sync_directory(const std::string& directory) override {
    TRY(check_path(directory));
    const Descriptor fd(uninterrupted([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd.is_open()) return system_error(errno, directory, "open it");
    // Some network file systems cannot sync a directory and say EINVAL; their names are durable at once or never.
    if (uninterrupted([&] { return ::fsync(fd.get()); }) != 0 && errno != EINVAL)
      return system_error(errno, directory, "sync it");
    return {};
  }

  std::unique_ptr<Watcher> watcher() override { return inotify_watcher(); }

 private:
  static Result<std::unique_ptr<File>> opened(const std::string& path, int flags, std::string_view action) {
    Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600); }));
    if (!fd.is_open()) {
      if (errno == ENXIO) return not_regular(path, FileKind::other);
      return system_error(errno, path, action);
    }
    auto file = std::make_unique<SystemFile>(std::move(fd), path);
    if (const auto found = TRY(file->info()); found.kind != FileKind::regular) return not_regular(path, found.kind);
    return std::unique_ptr<File>(std::move(file));
  }

  static FileKind kind_in(int fd, const dirent& entry) {
    switch (entry.d_type) {
      case DT_REG:
        return FileKind::regular;
      case DT_DIR:
        return FileKind::directory;
      case DT_LNK:
        return FileKind::symlink;
      case DT_UNKNOWN: {
        struct statx found {};
        if (::statx(fd, entry.d_name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &found) == 0) return kind_of(found.stx_mode);
        return FileKind::other;
      }
      default:
        return FileKind::other;
    }
  }
};

}  // namespace

Files& real_files() {
  static SystemFiles files;
  return files;
}

}  // namespace enclave::io
