#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/verify_keys.h"
#include "archive/verify_tree.h"

/// The signed checkpoints of a log: which one it is held against, and whether all the others tell the same history.
namespace enclave::archive {

/// A checkpoint as it is stored.
struct StoredCheckpoint {
  std::string version;
  bool latest = true;
  std::string bytes;
  std::optional<Note> note;
  Checkpoint checkpoint;     ///< meaningful when `problem` is empty
  std::string problem;       ///< why it cannot be read as a checkpoint of this log
  bool unreachable = false;  ///< it could not be fetched: nothing is known of it
};

StoredCheckpoint read_checkpoint(LogSource& source, const std::string& origin, const StoredVersion& stored);
StoredCheckpoint parse_checkpoint(const std::string& origin, std::string bytes);

/// What the log is held against.
struct Head {
  std::optional<StoredCheckpoint> checkpoint;  ///< none: what is stored can only be compared with itself
  bool authentic = false;                      ///< signed by the key in force
  bool proven = false;                         ///< the stored tree has its root
};

/// The newest checkpoint that the stored tree fits, those with a good signature first. Settles `tree` on it.
Head choose_head(LogSource& source, const Inventory& inventory, const StoredCheckpoint& latest, const KeyChain& chain,
                 StoredTree& tree);

/// Judges the latest checkpoint and each older version, against keys and tree.
void check_checkpoints(LogSource& source, const Inventory& inventory, const StoredCheckpoint& latest, const Head& head,
                       const KeyChain& chain, const StoredTree& tree, Findings& findings);

/// Is the log still what was seen before?
void check_last_seen(const std::vector<std::string>& last_seen, const Inventory& inventory, const Head& head,
                     const KeyChain& chain, const StoredTree& tree, Findings& findings);

}  // namespace enclave::archive
