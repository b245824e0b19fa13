#pragma once

#include <set>
#include <string>
#include <vector>

#include "pipeline/glob.h"
#include "pipeline/input.h"

namespace enclave::pipeline {

/// A regular file that stands at a path which the patterns name.
struct FoundFile {
  std::string path;
  FileInfo info;
  bool link = false;  ///< the path's last component is a symbolic link: its directory does not tell of changes
};

/// What stands where the patterns point to.
struct FileScan {
  std::vector<FoundFile> files;       ///< each path once
  std::set<std::string> directories;  ///< those in which something may appear
};

/// More files than this are not followed; it is said.
inline constexpr std::size_t kFilesMax = 200'000;

/// Troubles that were told and not yet resolved.
class ToldTroubles {
 public:
  explicit ToldTroubles(InputLog& log) : log_(log) {}
  void tell(const std::string& subject, std::string_view text);
  void resolve(const std::string& subject);

 private:
  InputLog& log_;
  std::set<std::string> told_;
};

class FileScanner {
 public:
  FileScanner(Files& files, std::vector<Glob> paths, std::vector<Glob> exclude, ToldTroubles& troubles)
      : files_(files), paths_(std::move(paths)), exclude_(std::move(exclude)), troubles_(troubles) {}

  /// Missing and unreadable things are told once, and resolved when they come.
  FileScan scan();

  /// Whether the patterns name this path.
  bool wants(std::string_view path) const;
  /// Whether a new directory may bring files.
  bool is_deep() const;

 private:
  void missing(const std::string& path, std::string_view text);
  void candidate(const Glob& glob, const std::string& path, bool link, FileScan& scan);
  bool is_excluded(std::string_view path) const;

  Files& files_;
  std::vector<Glob> paths_;
  std::vector<Glob> exclude_;
  ToldTroubles& troubles_;
  std::set<std::string> missing_;  ///< of which it was told that they are not there, or cannot be looked at
  std::size_t found_before_ = 0;
};

}  // namespace enclave::pipeline
