#include "io/growing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace enclave::io {

Result<GrowingFile> GrowingFile::open(const std::string& path, const How& how) {
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (how.follow_symlinks ? 0 : O_NOFOLLOW);
  bool made = false;
  Descriptor fd(uninterrupted([&] { return ::open(path.c_str(), flags); }));
  if (!fd.is_open() && errno == ENOENT) {
    made = true;
    fd = Descriptor(uninterrupted([&] { return ::open(path.c_str(), flags | O_CREAT, how.mode); }));
  }
  if (!fd.is_open()) return system_error(errno, path, "append to it");
  GrowingFile file(std::move(fd), path);
  struct stat found {};
  if (::fstat(file.fd_.get(), &found) != 0) return system_error(errno, path, "look at it");
  if (!S_ISREG(found.st_mode) && !S_ISCHR(found.st_mode))
    return Error{Fault::unsupported, "{}: is neither a regular file nor a device", path};
  file.is_regular_ = S_ISREG(found.st_mode);
  file.device_ = found.st_dev;
  file.inode_ = found.st_ino;
  file.is_new_ = made;
  if (file.is_regular_ && found.st_size > 0) {
    file.bytes_at_open_ = static_cast<std::uint64_t>(found.st_size);
    (void)!::pread(file.fd_.get(), &file.last_byte_, 1, found.st_size - 1);
  }
  return file;
}

Result<void> GrowingFile::append(std::span<const std::string_view> pieces, std::size_t& written) const {
  constexpr std::size_t kAtOnce = 256;
  std::array<iovec, kAtOnce> list;
  std::size_t skip = 0;  // of the first piece: already written
  while (!pieces.empty()) {
    std::size_t count = 0, wanted = 0;
    for (const auto piece : pieces.first(std::min(kAtOnce, pieces.size()))) {
      const std::string_view rest = count == 0 ? piece.substr(skip) : piece;
      // tidy: allow const_cast: writev reads only
      list[count++] = {const_cast<char*>(rest.data()), rest.size()};
      wanted += rest.size();
    }
    const ssize_t put = uninterrupted([&] { return ::writev(fd_.get(), list.data(), static_cast<int>(count)); });
    if (put < 0) return system_error(errno, path_, "append to it");
    // Zero must not become an endless loop.
    if (put == 0 && wanted > 0) return system_error(EIO, path_, "append to it");
    written += static_cast<std::size_t>(put);
    skip += static_cast<std::size_t>(put);
    while (!pieces.empty() && skip >= pieces[0].size()) {
      skip -= pieces[0].size();
      pieces = pieces.subspan(1);
    }
  }
  return {};
}

Result<void> GrowingFile::sync() const {
  if (is_regular_ && uninterrupted([&] { return ::fdatasync(fd_.get()); }) != 0)
    return system_error(errno, path_, "sync it");
  return {};
}

Result<void> GrowingFile::truncate() const {
  if (is_regular_ && uninterrupted([&] { return ::ftruncate(fd_.get(), 0); }) != 0)
    return system_error(errno, path_, "empty it");
  return {};
}

bool GrowingFile::is_at(const std::string& path) const {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

Result<void> make_folders(const std::string& path, unsigned mode) {
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) == 0 || errno == EEXIST) continue;
    const int error = errno;
    struct stat found {};
    // On the way there may be folders that one may pass and not write to.
    if (::stat(part.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) continue;
    return system_error(error, part, "make the directory");
  }
  return {};
}

}  // namespace enclave::io
