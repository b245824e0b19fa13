#include "archive/tiles.h"

#include <algorithm>
#include <bit>

#include "base/encoding.h"

namespace enclave::archive {
namespace {

constexpr unsigned kLevelMax = 63;
constexpr std::uint64_t kIndexMax = (1ULL << 55) - 1;  // 2^63 leaves in tiles of 2^8

// "x001/x234/067": groups of three digits, all but the last marked.
std::string index_path(std::uint64_t index) {
  std::string path = fmt::format("{:03}", index % 1000);
  while (index >= 1000) {
    index /= 1000;
    path = fmt::format("x{:03}/{}", index % 1000, path);
  }
  return path;
}

bool is_group(std::string_view text) {
  return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::uint64_t group_value(std::string_view group) {
  std::uint64_t value = 0;
  for (const char c : group) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

std::string_view take_part(std::string_view& path) {
  const auto slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return part;
}

void append_tiles(bool entries, unsigned level, std::uint64_t older, std::uint64_t newer, std::vector<TileId>& tiles) {
  if (older == newer) return;
  for (std::uint64_t index = older / kTileWidth; index < newer / kTileWidth; ++index)
    tiles.push_back({entries, level, index, kTileWidth});
  const auto rest = static_cast<unsigned>(newer % kTileWidth);
  if (rest != 0) tiles.push_back({entries, level, newer / kTileWidth, rest});
}

}  // namespace

std::string tile_path(const TileId& tile) {
  const std::string level = tile.entries ? "entries" : fmt::format("{}", tile.level);
  const std::string partial = tile.width == kTileWidth ? "" : fmt::format(".p/{}", tile.width);
  return fmt::format("tile/{}/{}{}", level, index_path(tile.index), partial);
}

Result<TileId> parse_tile_path(std::string_view path) {
  const std::string_view whole = path;
  const auto bad = [&] {
    return Error{Fault::invalid, "\"{}\" is not the path of a tile", is_utf8(whole) ? whole.substr(0, 200) : ""};
  };
  TileId tile;
  if (take_part(path) != "tile") return bad();
  const std::string_view level = take_part(path);
  tile.entries = level == "entries";
  if (!tile.entries) {
    const auto number = parse_number(level);
    if (!number || *number > kLevelMax) return bad();
    tile.level = static_cast<unsigned>(*number);
  }
  std::string_view group = take_part(path);
  while (group.starts_with('x')) {
    if (!is_group(group.substr(1)) || tile.index > kIndexMax / 1000) return bad();
    tile.index = tile.index * 1000 + group_value(group.substr(1));
    group = take_part(path);
  }
  const bool partial = group.ends_with(".p");
  if (partial) {
    group.remove_suffix(2);
    const auto width = parse_number(path);
    if (!width || *width == 0 || *width >= kTileWidth) return bad();
    tile.width = static_cast<unsigned>(*width);
  }
  if (!is_group(group) || tile.index > kIndexMax / 1000) return bad();
  tile.index = tile.index * 1000 + group_value(group);
  // One path for one tile: no leading x000, nothing behind.
  if (tile.index > kIndexMax || tile_path(tile) != whole) return bad();
  return tile;
}

std::vector<TileId> tiles_between(std::uint64_t older, std::uint64_t newer) {
  ENSURE(older <= newer);
  std::vector<TileId> tiles;
  append_tiles(true, 0, older, newer, tiles);
  for (unsigned level = 0; newer > 0; ++level) {
    append_tiles(false, level, older, newer, tiles);
    older /= kTileWidth;
    newer /= kTileWidth;
  }
  return tiles;
}

std::string encode_entries(std::span<const std::string> entries) {
  ENSURE(entries.size() <= kTileWidth);
  std::string bundle;
  for (const auto& entry : entries) {
    ENSURE(entry.size() <= kEntryBytesMax);
    bundle += static_cast<char>(entry.size() >> 8);
    bundle += static_cast<char>(entry.size() & 255);
    bundle += entry;
  }
  return bundle;
}

Result<std::vector<std::string_view>> decode_entries(std::string_view bundle, unsigned width) {
  std::vector<std::string_view> entries;
  entries.reserve(std::min(width, kTileWidth));
  for (unsigned i = 0; i < width; ++i) {
    if (bundle.size() < 2) return Error{Fault::corrupt, "entry bundle ends after {} of {} entries", i, width};
    const std::size_t size =
        static_cast<std::size_t>(static_cast<unsigned char>(bundle[0])) << 8 | static_cast<unsigned char>(bundle[1]);
    bundle.remove_prefix(2);
    if (bundle.size() < size) return Error{Fault::corrupt, "entry bundle ends within entry {} of {}", i, width};
    entries.push_back(bundle.substr(0, size));
    bundle.remove_prefix(size);
  }
  if (!bundle.empty())
    return Error{Fault::corrupt, "entry bundle has {} bytes behind its {} entries", bundle.size(), width};
  return entries;
}

Result<std::vector<Digest>> decode_hashes(std::string_view tile, unsigned width) {
  if (width > kTileWidth || tile.size() != width * sizeof(Digest))
    return Error{Fault::corrupt, "hash tile of {} bytes; {} hashes take {}", tile.size(), width,
                 width * sizeof(Digest)};
  std::vector<Digest> hashes(width);
  for (unsigned i = 0; i < width; ++i)
    std::copy_n(tile.data() + i * sizeof(Digest), sizeof(Digest), reinterpret_cast<char*>(hashes[i].data()));
  return hashes;
}

void TileTree::append(const Digest& leaf) {
  levels_[0].push_back(leaf);
  for (std::size_t level = 0; levels_[level].size() % kTileWidth == 0; ++level) {
    if (levels_.size() == level + 1) levels_.emplace_back();
    levels_[level + 1].push_back(root_of(std::span(levels_[level]).last(kTileWidth)));
  }
}

Digest TileTree::perfect(std::uint64_t begin, unsigned height) const {
  const unsigned level = height / 8;
  return root_of(std::span(levels_[level]).subspan(begin >> (8 * level), 1ULL << (height % 8)));
}

Digest TileTree::root(std::uint64_t size) const {
  ENSURE(size <= this->size());
  if (size == 0) return root_of({});
  std::vector<Digest> peaks;
  for (std::uint64_t begin = 0; begin < size;) {
    const auto height = static_cast<unsigned>(std::bit_width(size - begin) - 1);
    peaks.push_back(perfect(begin, height));
    begin += 1ULL << height;
  }
  Digest node = peaks.back();
  for (std::size_t i = peaks.size() - 1; i-- > 0;) node = node_hash(peaks[i], node);
  return node;
}

std::string TileTree::hash_tile(const TileId& tile) const {
  ENSURE(!tile.entries && tile.level < levels_.size());
  const std::uint64_t begin = tile.index * kTileWidth;
  ENSURE(begin + tile.width <= levels_[tile.level].size());
  std::string bytes;
  bytes.reserve(tile.width * sizeof(Digest));
  for (unsigned i = 0; i < tile.width; ++i) bytes += bytes_of(levels_[tile.level][begin + i]);
  return bytes;
}

}  // namespace enclave::archive
