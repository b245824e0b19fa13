#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/verify_tree.h"

/// Compares every stored tile with the tree, byte by byte.
namespace enclave::archive {

/// Leaves whose text is lost; `finding` says why, and misses which records they were about.
struct LostLeaves {
  std::uint64_t first = 0, last = 0;
  Finding finding;
};

class TileCheck {
 public:
  TileCheck(const StoredTree& tree, const Inventory& inventory, Findings& findings);

  /// Judges all that is stored of bundle `n`: entry bundles and hash tiles of level 0, full and partial, all versions.
  /// Gives its leaf texts, each proven by its hash; empty where no stored bundle has the right one. Those are `lost`.
  std::vector<std::string> bundle(std::uint64_t n, std::vector<LostLeaves>& lost);
  /// Judges the hash tiles above level 0.
  void upper_tiles();
  /// Leaves of the larger tree of which tiles are stored beyond this one; the size of this one when there are none.
  std::uint64_t beyond_size() const { return beyond_size_; }
  /// Are they what a single upload, cut short before its checkpoint, would have written?
  bool beyond_is_one_upload() const { return one_upload_; }
  /// Stored tiles that belong to no tree here.
  const std::vector<TileId>& strangers() const { return strangers_; }

 private:
  struct Bad {
    TileId tile;
    std::string version;
    std::uint64_t position;
    bool rest;  ///< nor can anything behind it be told apart
  };
  void entry_bundle(const TileId& tile, const StoredVersion& stored, std::vector<std::string>& texts,
                    std::vector<Bad>& bad);
  void hash_tile(const TileId& tile, const StoredVersion& stored);
  void unknown_bundle(std::uint64_t n, std::vector<LostLeaves>& lost);
  void sort_beyond();
  bool get(const TileId& tile, const StoredVersion& stored, std::string& bytes);
  void require(const TileId& tile);
  std::vector<std::pair<TileId, StoredVersion>> stored_versions(bool entries, std::uint64_t n) const;

  const StoredTree& tree_;
  const Inventory& inventory_;
  Findings& findings_;
  std::vector<TileId> strangers_;
  std::uint64_t beyond_size_ = 0;
  bool one_upload_ = true;
};

}  // namespace enclave::archive
