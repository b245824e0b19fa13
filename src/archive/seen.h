#pragma once

#include <span>
#include <string>
#include <vector>

#include "archive/verify.h"
#include "base/ports.h"

/// The newest checkpoint that was seen of each log, one file per trust anchor, so that a log which goes back is noticed
/// although everything in it fits. The file holds the checkpoint as the bucket does.
namespace enclave::archive {

/// "<directory>/<origin with + for />+<key hash>.checkpoint".
std::string seen_path(const std::string& directory, const NoteVerifier& anchor);

/// What was seen under these anchors, for VerifyOptions::last_seen. None is no error.
Result<std::vector<std::string>> load_seen(Files& files, const std::string& directory,
                                           std::span<const NoteVerifier> anchors);

/// Remembers the checkpoints of the logs in `report` in which nothing is violated. Makes the directory.
/// Never replaces a checkpoint by a smaller one.
Result<void> store_seen(Files& files, const std::string& directory, std::span<const NoteVerifier> anchors,
                        const VerifyReport& report);

/// Below user_state_directory(); empty when there is none.
std::string seen_directory(const std::string& xdg_state_home, const std::string& home);

}  // namespace enclave::archive
