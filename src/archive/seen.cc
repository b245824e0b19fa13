#include "archive/seen.h"

#include <algorithm>

#include "base/files.h"

namespace enclave::archive {
namespace {

constexpr std::uint64_t kCheckpointBytesMax = 1U << 20;

Result<Checkpoint> checkpoint_of(std::string_view bytes) {
  const Note note = TRY(Note::parse(bytes));
  return Checkpoint::parse(note.text);
}

bool is_violated(const LogReport& log) {
  return std::any_of(log.findings.begin(), log.findings.end(),
                     [](const Finding& finding) { return finding.weight == Weight::violated; });
}

Result<void> store_one(Files& files, const std::string& path, const std::string& bytes) {
  const Checkpoint fresh = TRY(checkpoint_of(bytes));
  const auto old = read_file(files, path, kCheckpointBytesMax);
  if (old)
    if (const auto seen = checkpoint_of(*old); seen && seen->size >= fresh.size) return {};
  return replace_file(files, path, bytes);
}

}  // namespace

std::string seen_path(const std::string& directory, const NoteVerifier& anchor) {
  std::string name = anchor.name;
  std::replace(name.begin(), name.end(), '/', '+');
  return fmt::format("{}/{}+{:08x}.checkpoint", directory, name, anchor.key_hash);
}

Result<std::vector<std::string>> load_seen(Files& files, const std::string& directory,
                                           std::span<const NoteVerifier> anchors) {
  std::vector<std::string> seen;
  for (const NoteVerifier& anchor : anchors) {
    auto bytes = read_file(files, seen_path(directory, anchor), kCheckpointBytesMax);
    if (bytes) {
      seen.push_back(std::move(*bytes));
    } else if (bytes.error().fault() != Fault::absent) {
      return std::move(bytes).error().within("the checkpoint that was last seen");
    }
  }
  return seen;
}

Result<void> store_seen(Files& files, const std::string& directory, std::span<const NoteVerifier> anchors,
                        const VerifyReport& report) {
  for (const LogReport& log : report.logs) {
    if (log.checkpoint.empty() || is_violated(log)) continue;
    for (const NoteVerifier& anchor : anchors) {
      if (anchor.name != log.origin) continue;
      TRY(make_directories(files, directory));
      TRY(store_one(files, seen_path(directory, anchor), log.checkpoint));
    }
  }
  return {};
}

std::string seen_directory(const std::string& xdg_state_home, const std::string& home) {
  const std::string state = user_state_directory(xdg_state_home, home);
  return state.empty() ? "" : join_path(state, "seen");
}

}  // namespace enclave::archive
