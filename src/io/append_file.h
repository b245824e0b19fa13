#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/posix.h"

namespace enclave::io {

/// A file to which several processes append lines, each by one write (O_APPEND): they do not mix.
class AppendFile {
 public:
  /// Makes it (0600) in a directory that must exist. Fault::unsupported when it is no regular file or a symbolic link.
  static Result<AppendFile> open(const std::string& path);
  /// All of it or an error; Fault::limit when the disk is full. Thread-safe.
  Result<void> append(std::string_view bytes) const;
  /// What was appended is on the disk when it returns.
  Result<void> sync() const;

 private:
  AppendFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Descriptor fd_;
  std::string path_;
};

/// Lets the kernel write a file to the disk while more of it comes: the sync at its end then waits less. A hint.
class EarlyWriter {
 public:
  explicit EarlyWriter(const std::string& path);
  void written(std::uint64_t offset, std::uint64_t bytes) const;

 private:
  Descriptor fd_;
};

/// Everything that was written to the file system that holds `path` is on its disk when it returns: cheaper than one
/// fsync for each of many files.
Result<void> sync_file_system(const std::string& path);

}  // namespace enclave::io
