#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "archive/log_source.h"
#include "base/encoding.h"
#include "base/files.h"

namespace enclave::archive {
namespace {

constexpr std::string_view kVersions = ".enclave-versions";
constexpr std::string_view kMarkers[] = {".deleted", ".removed"};  // they count as versions and hold no bytes
constexpr std::size_t kVersionDigits = 20;
constexpr std::size_t kPieceBytes = 1U << 20;

// Keys come from leaves, which anybody may have written: none may lead out of the directory, or to what is no object.
bool is_object_key(std::string_view key) {
  for (;;) {
    const auto slash = key.find('/');
    const std::string_view part = key.substr(0, slash);
    if (part.empty() || part.front() == '.' || part.find('\0') != std::string_view::npos) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

std::optional<std::uint64_t> version_number(std::string_view name) {
  if (name.size() != kVersionDigits) return std::nullopt;
  name.remove_prefix(std::min(name.find_first_not_of('0'), name.size() - 1));
  const auto number = parse_number(name);
  if (!number) return std::nullopt;
  return *number;
}

std::string version_text(std::uint64_t number) { return fmt::format("{:020}", number); }

class DirectorySource final : public LogSource {
 public:
  DirectorySource(Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

  Result<void> list(const std::string& prefix, const std::function<Result<void>(const Entry&)>& visit) override {
    // Only what can hold the prefix is walked; a directory with a million objects of other logs costs nothing.
    const auto slash = prefix.rfind('/');
    const std::string below = slash == std::string::npos ? "" : prefix.substr(0, slash);
    if (!below.empty() && !is_object_key(below)) return {};
    TRY(files_.info(directory_));  // a missing directory is an error, not an empty log
    const bool versioned = files_.info(join_path(directory_, kVersions)).has_value();
    std::map<std::string, Versions> keys;
    if (versioned) TRY(collect_versions(below, prefix, keys));
    TRY(collect_latest(below, prefix, keys));
    for (const auto& [key, versions] : keys) {
      for (const auto& [number, info] : versions.older)
        TRY(visit({key, info.bytes, version_text(number), false, info.modified_ns}));
      if (!versions.latest) continue;
      const std::string version = versioned ? version_text(versions.highest + 1) : "";
      TRY(visit({key, versions.latest->bytes, version, true, versions.latest->modified_ns}));
    }
    return {};
  }

  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    return read_file(files_, TRY(path_of(key, version)), bytes_max);
  }

  Result<void> stream(const std::string& key, const std::string& version, std::uint64_t bytes_max,
                      const std::function<Result<void>(std::string_view)>& take) override {
    const std::string path = TRY(path_of(key, version));
    auto file = TRY(files_.open(path));
    std::string piece(std::min<std::uint64_t>(kPieceBytes, TRY(file->info()).bytes + 1), '\0');
    for (std::uint64_t at = 0;;) {
      const std::size_t got = TRY(file->read_at(at, piece));
      if (got == 0) return {};
      at += got;
      if (at > bytes_max) return Error{Fault::limit, "{}: more than {} bytes", path, bytes_max};
      TRY(take(std::string_view(piece).substr(0, got)));
    }
  }

  std::string name() const override { return directory_; }

 private:
  struct Versions {
    std::map<std::uint64_t, FileInfo> older;
    std::uint64_t highest = 0;  ///< of versions and delete markers
    std::optional<FileInfo> latest;
  };
  using Keys = std::map<std::string, Versions>;

  Result<std::string> path_of(const std::string& key, const std::string& version) {
    if (!is_object_key(key)) return Error{Fault::absent, "{}: no object can have this key", key};
    if (!version.empty()) {
      if (!version_number(version)) return Error{Fault::absent, "{}: \"{}\" is not a version", key, version};
      std::string older = fmt::format("{}/{}/{}/{}", directory_, kVersions, key, version);
      const auto found = files_.info(older, false);
      if (found && found->kind == FileKind::regular) return older;
      if (!found && found.error().fault() != Fault::absent) return found.error();
    }
    std::string path = join_path(directory_, key);
    // A symbolic link in a copied directory could lead anywhere.
    if (TRY(files_.info(path, false)).kind != FileKind::regular)
      return Error{Fault::absent, "{} is not a regular file", path};
    return path;
  }

  Result<void> collect_versions(const std::string& below, const std::string& prefix, Keys& keys) {
    const std::string root = join_path(join_path(directory_, kVersions), below);
    return walk_files(files_, root, [&](const std::string& relative, const FileInfo& info) -> Result<void> {
      const std::string path = join_path(below, relative);
      const auto slash = path.rfind('/');
      if (slash == std::string::npos) return {};
      const std::string key = path.substr(0, slash);
      std::string_view file = std::string_view(path).substr(slash + 1);
      bool marker = false;
      for (const std::string_view suffix : kMarkers) {
        if (marker || !file.ends_with(suffix)) continue;
        marker = true;
        file.remove_suffix(suffix.size());
      }
      const auto number = version_number(file);
      if (!number || !key.starts_with(prefix) || !is_object_key(key)) return {};
      Versions& versions = keys[key];
      versions.highest = std::max(versions.highest, *number);
      if (!marker) versions.older.emplace(*number, info);
      return {};
    });
  }

  Result<void> collect_latest(const std::string& below, const std::string& prefix, Keys& keys) {
    const std::string root = below.empty() ? directory_ : join_path(directory_, below);
    return walk_files(files_, root, [&](const std::string& relative, const FileInfo& info) -> Result<void> {
      const std::string key = join_path(below, relative);
      if (key.starts_with(prefix) && is_object_key(key)) keys[key].latest = info;
      return {};
    });
  }

  Files& files_;
  const std::string directory_;
};

}  // namespace

std::unique_ptr<LogSource> directory_source(Files& files, std::string directory) {
  return std::make_unique<DirectorySource>(files, std::move(directory));
}

}  // namespace enclave::archive
