#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/merkle.h"
#include "base/result.h"

/// C2SP tlog-tiles: a Merkle tree cut into immutable files of at most 256 hashes or entries.
namespace enclave::archive {

inline constexpr unsigned kTileWidth = 256;
inline constexpr std::size_t kEntryBytesMax = 65'535;
inline constexpr std::size_t kHashTileBytesMax = kTileWidth * sizeof(Digest);
inline constexpr std::size_t kEntryBundleBytesMax = kTileWidth * (kEntryBytesMax + 2);

/// One tile. `level` 0 to 63; a hash of level L is the root over 256^L leaves. An entry bundle has level 0.
/// `width` 1 to 256; 256 is a full tile.
struct TileId {
  bool entries = false;
  unsigned level = 0;
  std::uint64_t index = 0;
  unsigned width = kTileWidth;
  auto operator<=>(const TileId&) const = default;
};

/// "tile/0/x001/x234/067", "tile/entries/000.p/5": relative to the log's root.
std::string tile_path(const TileId& tile);
/// Strict: accepts exactly what tile_path writes. Fault::invalid.
Result<TileId> parse_tile_path(std::string_view path);

/// The tiles that a store at size `older` lacks for the tree of `newer` (older <= newer), entry bundles first, then
/// hash tiles, upwards; each in order of its index. Partial tiles only as `newer` itself needs them.
/// With `older` 0: all tiles of the tree.
std::vector<TileId> tiles_between(std::uint64_t older, std::uint64_t newer);

/// Each at most kEntryBytesMax long (ENSUREd), at most 256 of them.
std::string encode_entries(std::span<const std::string> entries);
/// Exactly `width` entries and nothing behind them; views into `bundle`. Fault::corrupt.
Result<std::vector<std::string_view>> decode_entries(std::string_view bundle, unsigned width);
/// Exactly `width` hashes. Fault::corrupt.
Result<std::vector<Digest>> decode_hashes(std::string_view tile, unsigned width);

/// A growing tree that can give its root at any earlier size and every hash tile. 32 bytes of memory for each leaf and
/// 1/255 of that for the levels above.
class TileTree {
 public:
  void append(const Digest& leaf);
  std::uint64_t size() const { return levels_[0].size(); }
  const Digest& leaf(std::uint64_t index) const { return levels_[0][index]; }
  std::span<const Digest> leaves() const { return levels_[0]; }
  Digest root() const { return root(size()); }
  /// Of the first `size` leaves; at most some hundred hashes are computed. `size` <= size().
  Digest root(std::uint64_t size) const;
  /// The bytes of a hash tile. It must lie within the tree.
  std::string hash_tile(const TileId& tile) const;

 private:
  Digest perfect(std::uint64_t begin, unsigned height) const;
  std::vector<std::vector<Digest>> levels_{1};  ///< [L][n]: root over leaves [n*256^L, (n+1)*256^L)
};

}  // namespace enclave::archive
