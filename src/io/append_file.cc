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

Result<void> sync_file_system(const std::string& path) {
  const Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY); }));
  if (!fd.is_open()) return system_error(errno, path, "open it");
  if (::syncfs(fd.get()) != 0) return system_error(errno, path, "sync its file system");
  return {};
}

}  // namespace enclave::io
