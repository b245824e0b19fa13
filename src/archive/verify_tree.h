#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/leaf.h"
#include "archive/tiles.h"
#include "archive/verify_inventory.h"

/// The tree of a log, and which of the stored bytes are its own. Every leaf hash stands in the bucket twice: as the
/// hash of a leaf in an entry bundle, and in a hash tile of level 0. Where the two disagree, the root that the
/// checkpoint signs tells which of them is right.
namespace enclave::archive {

/// `a` and `b` are two readings of the same hashes, of one length. Gives the reading whose root is `expected`: a, b, or
/// a mixture when they differ in at most ten places (every choice is tried).
std::optional<std::vector<Digest>> reconcile(std::span<const Digest> a, std::span<const Digest> b,
                                             const Digest& expected);

/// The entries of a bundle, also of a damaged one: up to where a length does not fit. Views into `bundle`.
std::vector<std::string_view> split_entries(std::string_view bundle);

/// Reads tiles of one log.
class TileReader {
 public:
  TileReader(LogSource& source, const Inventory& inventory) : source_(source), inventory_(inventory) {}
  std::string key(const TileId& tile) const { return inventory_.prefix() + tile_path(tile); }
  Result<std::string> get(const TileId& tile, const std::string& version = {}) const;
  /// The widest stored tile of this place; nullopt when none is listed.
  std::optional<TileId> widest(bool entries, unsigned level, std::uint64_t index) const;
  /// All that is listed for this place, the widest first.
  std::vector<TileId> all(bool entries, unsigned level, std::uint64_t index) const;

 private:
  LogSource& source_;
  const Inventory& inventory_;
};

class StoredTree {
 public:
  StoredTree(LogSource& source, const Inventory& inventory) : tiles_(source, inventory) {}

  /// Reads entry bundles and level-0 tiles: all that are listed, and those up to `size` leaves although they are not
  /// listed yet (somebody writes the log while it is read). Shows `notable` the key, gap and expire leaves, in order
  /// and not proven yet. Memory: 32 bytes a leaf.
  void load(std::uint64_t size, const std::function<void(const Leaf&)>& notable);
  /// How many leaves were found, holes before the last one included.
  std::uint64_t loaded() const;
  /// Finds the leaf hashes under this root. False: what is stored cannot give it.
  bool settle(std::uint64_t size, const Digest& root);
  /// There is no root to go by: a leaf counts when its bundle and its hash tile agree.
  void settle_without_root(std::uint64_t size);

  // After one of the two:
  const TileTree& tree() const { return tree_; }
  std::uint64_t size() const { return tree_.size(); }
  /// Are the leaf hashes of bundle `n` those of the log?
  bool known(std::uint64_t n) const { return known_[n]; }
  /// Are all of them?
  bool complete() const { return proven_ == tree_.size(); }
  /// Of the first `size` leaves; nullopt when a bundle among them is not known.
  std::optional<Digest> root(std::uint64_t size) const;
  const TileReader& tiles() const { return tiles_; }

 private:
  struct Bundle {
    std::vector<Digest> entries;  ///< empty: missing or unreadable
    std::vector<Digest> tile;     ///< the hash tile of level 0; empty when `agree`
    bool agree = false;           ///< the hash tile says the same as the entries
  };
  /// Roots of all bundles, three times: by the entries, by the hash tiles of level 0, and by those of level 1. What one
  /// place lacks is taken from another.
  struct Roots {
    std::vector<Digest> entries, tiles, above;
  };
  std::span<const Digest> reading(std::uint64_t n, bool entries, std::uint64_t width) const;
  std::optional<Roots> roots_of_bundles(std::uint64_t size) const;
  void forget();
  void append(std::uint64_t n, std::span<const Digest> leaves, std::uint64_t width, bool known);

  TileReader tiles_;
  std::vector<Bundle> bundles_;
  TileTree tree_;
  std::vector<bool> known_;
  std::uint64_t proven_ = 0;  ///< leaves before the first bundle that is not known
};

/// How many leaves of a tree of `size` bundle `n` holds.
inline std::uint64_t bundle_width(std::uint64_t size, std::uint64_t n) {
  return std::min<std::uint64_t>(kTileWidth, size - n * kTileWidth);
}
inline std::uint64_t bundles_of(std::uint64_t size) { return size / kTileWidth + (size % kTileWidth != 0 ? 1 : 0); }

}  // namespace enclave::archive
