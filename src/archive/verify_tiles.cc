#include "archive/verify_tiles.h"

#include <algorithm>
#include <set>

namespace enclave::archive {
namespace {

constexpr unsigned kLevelBits = 8;

std::string version_text(const StoredVersion& stored) {
  return stored.latest ? "" : fmt::format(" This is the older version {} of the key.", stored.version);
}

std::string leaves_text(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("leaf {}", first) : fmt::format("leaves {} to {}", first, last);
}

/// Nodes of a complete tree of `size` leaves at this level.
std::uint64_t nodes_at(std::uint64_t size, unsigned level) {
  return level * kLevelBits >= 64 ? 0 : size >> (level * kLevelBits);
}

bool within(const TileId& tile, std::uint64_t size) {
  return tile.index * kTileWidth + tile.width <= nodes_at(size, tile.level);
}

std::string hash_tile_of(const StoredTree& tree, const TileId& tile, std::uint64_t width) {
  return tree.tree().hash_tile({false, tile.level, tile.index, static_cast<unsigned>(width)});
}

}  // namespace

TileCheck::TileCheck(const StoredTree& tree, const Inventory& inventory, Findings& findings)
    : tree_(tree), inventory_(inventory), findings_(findings), beyond_size_(tree.size()) {
  sort_beyond();
}

void TileCheck::sort_beyond() {
  std::vector<TileId> beyond;
  for (const auto& [tile, versions] : inventory_.tiles)
    if (!within(tile, tree_.size())) beyond.push_back(tile);
  // Entry bundles without a hole make the larger tree; they come in order of their place.
  for (const TileId& tile : beyond)
    if (tile.entries && tile.index * kTileWidth <= beyond_size_)
      beyond_size_ = std::max(beyond_size_, tile.index * kTileWidth + tile.width);
  const auto tiles = tiles_between(tree_.size(), beyond_size_);
  const std::set<TileId> upload(tiles.begin(), tiles.end());
  for (const TileId& tile : beyond) {
    if (!within(tile, beyond_size_)) {
      strangers_.push_back(tile);
    } else if (!upload.contains(tile)) {
      one_upload_ = false;
    }
  }
}

bool TileCheck::get(const TileId& tile, const StoredVersion& stored, std::string& bytes) {
  auto got = tree_.tiles().get(tile, stored.version);
  if (got) {
    bytes = std::move(*got);
    return true;
  }
  if (got.error().fault() == Fault::limit) {
    findings_.add(Verdict::modified, Weight::violated, tree_.tiles().key(tile),
                  fmt::format("It is larger than a tile can be.{}", version_text(stored)));
  } else if (got.error().fault() != Fault::absent) {
    findings_.add(Verdict::unreadable, Weight::inconclusive, tree_.tiles().key(tile),
                  fmt::format("It cannot be read: {}.{}", got.error().text(), version_text(stored)));
  } else if (stored.latest && within(tile, tree_.size())) {
    findings_.add(Verdict::missing, Weight::violated, tree_.tiles().key(tile), "It is listed, but it is not there.");
  }
  return false;
}

std::vector<std::pair<TileId, StoredVersion>> TileCheck::stored_versions(bool entries, std::uint64_t n) const {
  std::vector<std::pair<TileId, StoredVersion>> all;
  for (const TileId& tile : tree_.tiles().all(entries, 0, n))
    for (const StoredVersion& stored : inventory_.tiles.at(tile)) all.emplace_back(tile, stored);
  return all;
}

void TileCheck::entry_bundle(const TileId& tile, const StoredVersion& stored, std::vector<std::string>& texts,
                             std::vector<Bad>& bad) {
  std::string bytes;
  if (!get(tile, stored, bytes)) return;
  const std::uint64_t first = tile.index * kTileWidth;
  const std::string version = version_text(stored);
  const auto entries = split_entries(bytes);
  const bool whole = decode_entries(bytes, tile.width).has_value();
  const std::size_t width = std::min<std::size_t>(texts.size(), tile.width);
  for (std::size_t i = 0; i < width; ++i) {
    const bool there = i < entries.size();
    if (there && (texts[i].empty() ? leaf_hash(entries[i]) == tree_.tree().leaf(first + i) : texts[i] == entries[i])) {
      if (texts[i].empty()) texts[i] = entries[i];
      continue;
    }
    bad.push_back({tile, version, i, !whole});
    // Behind a damaged length nothing can be told apart.
    if (!whole) return;
  }
  if (!whole)
    findings_.add(Verdict::modified, Weight::violated, tree_.tiles().key(tile),
                  fmt::format("It does not hold exactly {} entries.{}", tile.width, version));
}

void TileCheck::hash_tile(const TileId& tile, const StoredVersion& stored) {
  std::string bytes;
  if (!get(tile, stored, bytes)) return;
  const std::uint64_t nodes = nodes_at(tree_.size(), tile.level);
  const std::uint64_t width = std::min<std::uint64_t>(tile.width, nodes - std::min(nodes, tile.index * kTileWidth));
  const std::string expected = width > 0 ? hash_tile_of(tree_, tile, width) : "";
  const auto [in_bytes, in_expected] = std::mismatch(bytes.begin(), bytes.end(), expected.begin(), expected.end());
  if (in_expected == expected.end()) {
    if (bytes.size() == tile.width * sizeof(Digest)) return;
    return findings_.add(Verdict::modified, Weight::violated, tree_.tiles().key(tile),
                         fmt::format("It has {} bytes; {} hashes take {}.{}", bytes.size(), tile.width,
                                     tile.width * sizeof(Digest), version_text(stored)));
  }
  const auto position = static_cast<std::uint64_t>(in_expected - expected.begin()) / sizeof(Digest);
  const std::uint64_t first = (tile.index * kTileWidth + position) << (tile.level * kLevelBits);
  const std::uint64_t last = first + (1ULL << (tile.level * kLevelBits)) - 1;
  findings_.add(
      Verdict::modified, Weight::violated, tree_.tiles().key(tile), first,
      fmt::format("Hash {} of this tile, over {}, is not that of the tree. The leaves themselves are judged on "
                  "their own; this tile can be made again from them.{}",
                  position, leaves_text(first, last), version_text(stored)));
}

void TileCheck::unknown_bundle(std::uint64_t n, std::vector<LostLeaves>& lost) {
  const std::uint64_t first = n * kTileWidth;
  const std::uint64_t last = first + bundle_width(tree_.size(), n) - 1;
  Finding finding{};
  finding.verdict = Verdict::modified;
  finding.weight = Weight::violated;
  finding.index = first;
  const auto entries = tree_.tiles().widest(true, 0, n);
  const auto hashes = tree_.tiles().widest(false, 0, n);
  finding.text = fmt::format(
      "The entries and the hash tile of {} do not fit the tree, and nothing that is stored tells "
      "what they were.",
      leaves_text(first, last));
  if (hashes) findings_.add(Verdict::modified, Weight::violated, tree_.tiles().key(*hashes), first, finding.text);
  finding.key = tree_.tiles().key(entries.value_or(TileId{true, 0, n, static_cast<unsigned>(last - first + 1)}));
  if (!entries) finding.verdict = Verdict::missing;
  lost.push_back({first, last, std::move(finding)});
}

std::vector<std::string> TileCheck::bundle(std::uint64_t n, std::vector<LostLeaves>& lost) {
  const std::uint64_t first = n * kTileWidth;
  const std::uint64_t width = bundle_width(tree_.size(), n);
  std::vector<std::string> texts(width);
  if (!tree_.known(n)) {
    unknown_bundle(n, lost);
    return texts;
  }
  const TileId needed{true, 0, n, static_cast<unsigned>(width)};
  const auto widest = tree_.tiles().widest(true, 0, n);
  std::vector<Bad> bad;
  for (const auto& [tile, stored] : stored_versions(true, n)) entry_bundle(tile, stored, texts, bad);
  for (const auto& [tile, stored] : stored_versions(false, n)) hash_tile(tile, stored);
  const bool short_of = !widest || widest->width < width;
  if (short_of && tree_.tiles().get(needed)) entry_bundle(needed, {}, texts, bad);

  for (const Bad& one : bad) {
    Finding finding{};
    finding.verdict = Verdict::modified;
    finding.weight = Weight::violated;
    finding.key = tree_.tiles().key(one.tile);
    finding.index = first + one.position;
    finding.text =
        fmt::format("Leaf {} in this bundle is not the one that the tree commits to.{}", *finding.index, one.version);
    const std::string& text = texts[one.position];
    const auto end = one.rest ? texts.end() : texts.begin() + static_cast<std::ptrdiff_t>(one.position) + 1;
    const auto gone = std::find(texts.begin() + static_cast<std::ptrdiff_t>(one.position), end, std::string());
    if (gone != end) {
      const std::uint64_t from = first + static_cast<std::uint64_t>(gone - texts.begin());
      const std::uint64_t to = first + static_cast<std::uint64_t>(end - texts.begin()) - 1;
      finding.text += fmt::format(" What {} said is lost, so what they name cannot be judged.", leaves_text(from, to));
      lost.push_back({from, to, std::move(finding)});
      continue;
    }
    if (const auto leaf = parse_leaf(text)) describe_leaf(*leaf, finding);
    finding.text += " Another stored bundle still holds the right one.";
    findings_.add(std::move(finding));
  }
  const auto gap = std::find(texts.begin(), texts.end(), std::string());
  if (gap != texts.end() && short_of) {
    Finding finding{};
    finding.verdict = Verdict::missing;
    finding.weight = Weight::violated;
    finding.key = tree_.tiles().key(needed);
    finding.index = first + static_cast<std::uint64_t>(gap - texts.begin());
    finding.text = fmt::format("The entries of {} are gone; the tree proves that they existed.",
                               leaves_text(*finding.index, first + width - 1));
    lost.push_back({*finding.index, first + width - 1, std::move(finding)});
  }
  std::stable_sort(lost.begin(), lost.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return texts;
}

void TileCheck::require(const TileId& tile) {
  const auto widest = tree_.tiles().widest(tile.entries, tile.level, tile.index);
  if (widest && widest->width >= tile.width) return;
  if (tree_.tiles().get(tile)) return hash_tile(tile, {});
  const std::uint64_t first = tile.index * kTileWidth << (tile.level * kLevelBits);
  findings_.add(Verdict::missing, Weight::violated, tree_.tiles().key(tile), first,
                "This hash tile is gone. It can be made again from the entries.");
}

void TileCheck::upper_tiles() {
  for (const TileId& tile : tiles_between(0, tree_.size()))
    if (!tile.entries) require(tile);
  if (!tree_.complete()) return;
  for (const auto& [tile, versions] : inventory_.tiles)
    if (!tile.entries && tile.level > 0 && within(tile, tree_.size()))
      for (const StoredVersion& stored : versions) hash_tile(tile, stored);
}

}  // namespace enclave::archive
