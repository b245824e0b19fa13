#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/log_source.h"
#include "archive/tiles.h"
#include "archive/verify_findings.h"

/// What is stored: every key of a bucket is sorted into the log and the role that docs/formats/log-layout.md gives it.
namespace enclave::archive {

struct StoredVersion {
  std::string version;  ///< as LogSource::get wants it
  std::uint64_t bytes = 0;
  bool latest = true;
};

struct StoredObject {
  std::uint64_t index = 0;
  std::uint32_t suffix = 0;  ///< into Inventory::suffixes
  StoredVersion stored;
};

/// One log's keys. About 64 bytes of memory for each object, 150 for each tile.
struct Inventory {
  std::string origin;
  std::vector<StoredVersion> checkpoints;              ///< the latest first, then from new to old
  std::map<TileId, std::vector<StoredVersion>> tiles;  ///< entry bundles behind the hash tiles of each level
  std::vector<StoredObject> objects;                   ///< in order of the index
  std::vector<std::string> suffixes;                   ///< what follows the 20 digits: ".ndjson.zst.age"
  std::string prefix() const { return "v1/" + origin + "/"; }
  std::string object_key(const StoredObject& object) const;
};

/// "v1/<origin>/b/<20 digits>".
std::string object_key_stem(std::string_view origin, std::uint64_t index);

/// By origin. Keys that have no role are EXTRA in `unknown`. Only the log of `origin` when it is not empty.
Result<std::map<std::string, Inventory>> take_inventory(LogSource& source, const std::string& origin,
                                                        Findings& unknown);

}  // namespace enclave::archive
