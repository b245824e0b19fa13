#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/posix.h"

/// Files that other programs read while they grow, and may rename or delete.
namespace enclave::io {

class GrowingFile {
 public:
  struct How {
    unsigned mode = 0666;         ///< of a new file, less the umask
    bool follow_symlinks = true;  ///< of the last name of the path
  };
  /// Makes it if need be, in a directory that must exist. A regular file, or a device such as /dev/null; others are
  /// Fault::unsupported.
  static Result<GrowingFile> open(const std::string& path, const How& how);

  /// Appends all pieces by as few calls as can be. `written` counts the bytes that are in the file, also after an
  /// error.
  Result<void> append(std::span<const std::string_view> pieces, std::size_t& written) const;
  Result<void> sync() const;
  Result<void> truncate() const;
  /// Whether `path` still leads to this file.
  bool is_at(const std::string& path) const;
  std::uint64_t bytes_at_open() const { return bytes_at_open_; }
  /// The last byte of the file when it was opened; 0 when it was empty.
  char last_byte() const { return last_byte_; }
  /// Whether open() made it.
  bool is_new() const { return is_new_; }

 private:
  explicit GrowingFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Descriptor fd_;
  std::string path_;
  std::uint64_t device_ = 0, inode_ = 0, bytes_at_open_ = 0;
  char last_byte_ = 0;
  bool is_new_ = false, is_regular_ = false;
};

/// The directory and its missing parents, with this mode less the umask.
Result<void> make_folders(const std::string& path, unsigned mode);

}  // namespace enclave::io
