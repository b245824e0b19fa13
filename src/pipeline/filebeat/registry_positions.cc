#include <map>
#include <set>

#include "base/crc.h"
#include "base/files.h"
#include "pipeline/file_state.h"
#include "pipeline/filebeat/flow_plan.h"

namespace enclave::pipeline::filebeat {
namespace {

Fingerprint front_of(Files& files, const std::string& path) {
  std::string front(kFingerprintBytes, '\0');
  auto file = files.open(path);
  const auto got = file ? (*file)->read_at(0, front) : Result<std::size_t>(file.error());
  front.resize(got.value_or(0));
  return fingerprint_of(front);
}

/// Files of a folder by their inodes; each folder is looked at once.
class Folders {
 public:
  explicit Folders(Files& files) : files_(files) {}
  std::string find(const std::string& directory, std::uint64_t inode) {
    auto [at, is_new] = known_.try_emplace(directory);
    if (is_new) {
      const auto entries = files_.list(directory);
      for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>{})) {
        const std::string path = join_path(directory, entry.name);
        if (const auto info = files_.info(path, false); info && info->kind == FileKind::regular)
          at->second.emplace(info->id.inode, path);
      }
    }
    const auto found = at->second.find(inode);
    return found == at->second.end() ? "" : found->second;
  }

 private:
  Files& files_;
  std::map<std::string, std::map<std::uint64_t, std::string>> known_;
};

bool is_it(const FileInfo& info, const RegistryEntry& entry) {
  // The device of a registry is as old as the boot that it was written in: the inode decides, and the size.
  return info.kind == FileKind::regular && (entry.inode == 0 || info.id.inode == entry.inode) &&
         info.bytes >= entry.offset;
}

}  // namespace

TakenPositions take_positions(Files& files, const RegistryImport& import) {
  TakenPositions out;
  Folders folders(files);
  std::map<std::pair<std::uint64_t, std::uint64_t>, FileState> states;
  for (const auto& entry : import.entries) {
    if (!entry.source.starts_with('/') || entry.source.size() > kFilePathBytes) {
      ++out.gone;
      continue;
    }
    std::string path = entry.source;
    auto info = files.info(path);
    if (!info || !is_it(*info, entry)) {
      const bool there = info.has_value();
      path = entry.inode == 0 ? "" : folders.find(parent_of(entry.source), entry.inode);
      if (!path.empty()) info = files.info(path);
      if (path.empty() || !info || !is_it(*info, entry) || has_gzip_name(path)) {
        ++(there ? out.changed : out.gone);
        continue;
      }
    }
    FileState state;
    state.offset = state.seen_bytes = entry.offset;
    state.id = info->id;
    state.print = front_of(files, path);
    state.modified_ns = info->modified_ns;
    state.path = path;
    const auto [at, is_new] = states.try_emplace({info->id.device, info->id.inode}, state);
    if (!is_new && at->second.offset < state.offset) at->second = state;
  }
  std::uint32_t number = 0;
  for (const auto& [id, state] : states) {
    const std::string source = file_source(state.path, crc32c(state.path) + number++);
    if (source.empty()) continue;
    const std::string offset = std::to_string(state.offset);
    out.ranges.push_back({source, offset, offset, 0, 0, format_state(state)});
  }
  return out;
}

}  // namespace enclave::pipeline::filebeat
