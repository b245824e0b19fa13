#include "pipeline/file_scan.h"

#include <algorithm>
#include <unordered_set>

#include "base/files.h"

namespace enclave::pipeline {

void ToldTroubles::tell(const std::string& subject, std::string_view text) {
  if (told_.insert(subject).second) log_.trouble(subject, text);
}

void ToldTroubles::resolve(const std::string& subject) {
  if (told_.empty() || told_.erase(subject) == 0) return;
  log_.resolved(subject);
}

FileScan FileScanner::scan() {
  FileScan scan;
  scan.files.reserve(found_before_);
  std::unordered_set<std::string> seen;
  for (const Glob& glob : paths_) {
    GlobVisitor visitor;
    visitor.candidate = [&](const std::string& path, bool link) {
      // One pattern names a path once; only several of them need the set.
      if (paths_.size() > 1 && !seen.insert(path).second) return;
      candidate(glob, path, link, scan);
    };
    visitor.directory = [&](const std::string& directory) {
      scan.directories.insert(directory);
      troubles_.resolve(directory);
    };
    visitor.failure = [&](const std::string& directory, const Error& error) {
      scan.directories.insert(parent_of(directory));
      troubles_.tell(directory,
                     error.fault() == Fault::absent
                         ? fmt::format("{} is not there; its files are read as soon as it appears", directory)
                         : fmt::format("cannot look for log files: {}", error.text()));
    };
    expand(files_, glob, visitor);
  }
  found_before_ = scan.files.size() + scan.files.size() / 8;
  return scan;
}

void FileScanner::candidate(const Glob& glob, const std::string& path, bool link, FileScan& scan) {
  if (is_excluded(path)) return;
  if (glob.is_literal()) {
    scan.directories.insert(parent_of(path));
    const auto entry = files_.info(path, false);
    link = entry && entry->kind == FileKind::symlink;
  }
  auto info = files_.info(path);
  if (!info) {
    if (info.error().fault() != Fault::absent) {
      missing(path, fmt::format("cannot read {}", info.error().text()));
    } else if (glob.is_literal() || link) {
      missing(path, fmt::format("{} is not there; it is read as soon as it appears", path));
    }
    return;
  }
  if (info->kind == FileKind::directory && !glob.is_literal()) return;
  if (info->kind != FileKind::regular)
    return missing(path, fmt::format("{} is not a regular file; write a pattern such as {}/*.log for the files of a "
                                     "directory",
                                     path, path));
  // Whether it can be opened is another question, and another trouble.
  if (!missing_.empty() && missing_.erase(path) > 0) troubles_.resolve(path);
  if (scan.files.size() >= kFilesMax)
    return troubles_.tell(glob.text(),
                          fmt::format("{}: more than {} files match; the rest is not read", glob.text(), kFilesMax));
  scan.files.push_back({path, *info, link});
}

void FileScanner::missing(const std::string& path, std::string_view text) {
  missing_.insert(path);
  troubles_.tell(path, text);
}

bool FileScanner::is_excluded(std::string_view path) const {
  return std::any_of(exclude_.begin(), exclude_.end(),
                     [&](const Glob& glob) { return glob.matches(glob.is_name() ? name_in(path) : path); });
}

bool FileScanner::wants(std::string_view path) const {
  return std::any_of(paths_.begin(), paths_.end(), [&](const Glob& glob) { return glob.matches(path); }) &&
         !is_excluded(path);
}

bool FileScanner::is_deep() const {
  return std::any_of(paths_.begin(), paths_.end(), [](const Glob& glob) { return !glob.is_literal(); });
}

}  // namespace enclave::pipeline
