#include "io/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace enclave::io {

Result<AppendFile> AppendFile::open(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), kFlags, 0600); }));
  if (!fd.is_open()) return system_error(errno, path, "append to it");
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return system_error(errno, path, "look at it");
  if (!S_ISREG(found.st_mode)) return Error{Fault::unsupported, "{}: is not a regular file", path};
  return AppendFile(std::move(fd), path);
}

Result<void> AppendFile::append(std::string_view bytes) const {
  const ssize_t put = uninterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
  if (put < 0) return system_error(errno, path_, "append to it");
  if (static_cast<std::size_t>(put) != bytes.size()) return system_error(ENOSPC, path_, "append to it");
  return {};
}

Result<void> AppendFile::sync() const {
  if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) != 0) return system_error(errno, path_, "sync it");
  return {};
}

EarlyWriter::EarlyWriter(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)) {}

void EarlyWriter::written(std::uint64_t offset, std::uint64_t bytes) const {
  if (!fd_.is_open()) return;
  (void)::sync_file_range(fd_.get(), static_cast<off64_t>(offset), static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

Result<void> sync_file_system(const std::string& path) {
  const Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY); }));
  if (!fd.is_open()) return system_error(errno, path, "open it");
  if (::syncfs(fd.get()) != 0) return system_error(errno, path, "sync its file system");
  return {};
}

}  // namespace enclave::io
