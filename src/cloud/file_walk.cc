#include "cloud/file_walk.h"

#include <set>

#include "base/encoding.h"
#include "base/files.h"
#include "cloud/file_versions.h"

namespace enclave::cloud {
namespace {

class Walk {
 public:
  Walk(Files& files, const std::string& directory, const std::string& prefix, bool deleted,
       const std::function<Result<void>(const std::string&)>& visit)
      : files_(files), directory_(directory), prefix_(prefix), deleted_(deleted), visit_(visit) {}

  // `below` is empty or ends in a slash.
  Result<void> walk(const std::string& below) {
    // A directory's name with its slash behind it, so that "a-b" comes before "a/b" as it does among keys.
    std::set<std::string> names;
    TRY(add(below, names));
    if (deleted_) TRY(add_kept(below, names));
    for (const auto& name : names) {
      const std::string key = below + name;
      if (name.back() == '/') {
        const bool within = key.starts_with(prefix_) || prefix_.starts_with(key);
        if (within && key.size() <= 1024) TRY(walk(key));
      } else if (key.starts_with(prefix_)) {
        TRY(visit_(key));
      }
    }
    return {};
  }

 private:
  Result<std::vector<DirectoryEntry>> entries_of(const std::string& path) const {
    auto entries = files_.list(path);
    if (!entries && entries.error().fault() == Fault::absent) return std::vector<DirectoryEntry>();
    return entries;
  }

  Result<void> add(const std::string& below, std::set<std::string>& names) const {
    for (const auto& entry : TRY(entries_of(join_path(directory_, below)))) {
      // What no key can name was not put here by us; the keys that callers get must work as keys.
      if (entry.name.front() == '.' || !is_utf8(entry.name)) continue;
      if (entry.kind == FileKind::regular) names.insert(entry.name);
      if (entry.kind == FileKind::directory) names.insert(entry.name + "/");
    }
    return {};
  }

  // Among the versions every key is a directory; it may hold versions, longer keys, or both.
  Result<void> add_kept(const std::string& below, std::set<std::string>& names) const {
    const std::string root = fmt::format("{}/{}/{}", directory_, kVersionsDirectory, below);
    for (const auto& entry : TRY(entries_of(root))) {
      if (entry.kind != FileKind::directory || entry.name.front() == '.') continue;
      for (const auto& inner : TRY(entries_of(join_path(root, entry.name)))) {
        if (inner.kind == FileKind::directory) names.insert(entry.name + "/");
        if (inner.kind == FileKind::regular && kept_version(inner.name)) names.insert(entry.name);
      }
    }
    return {};
  }

  Files& files_;
  const std::string& directory_;
  const std::string& prefix_;
  const bool deleted_;
  const std::function<Result<void>(const std::string&)>& visit_;
};

}  // namespace

Result<void> walk_keys(Files& files, const std::string& directory, const std::string& prefix, bool deleted,
                       const std::function<Result<void>(const std::string& key)>& visit) {
  return Walk(files, directory, prefix, deleted, visit).walk("");
}

}  // namespace enclave::cloud
