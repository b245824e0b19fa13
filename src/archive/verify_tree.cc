#include "archive/verify_tree.h"

#include <algorithm>

namespace enclave::archive {
namespace {

constexpr std::size_t kChoicesMax = 10;
// A checkpoint may claim any size, and a key any place; what is not there must not cost memory.
constexpr std::uint64_t kHolesMax = 64;

bool is_notable(std::string_view leaf) {
  for (const std::string_view kind : {"\nkind key\n", "\nkind gap\n", "\nkind expire\n"})
    if (leaf.find(kind) != std::string_view::npos) return true;
  return false;
}

/// Length, then bytes, until they end or do not fit: also of a damaged bundle, what can be told apart.
std::vector<Digest> hashes_of_entries(std::string_view bundle, std::uint64_t first,
                                      const std::function<void(const Leaf&)>& notable) {
  std::vector<Digest> hashes;
  for (const std::string_view entry : split_entries(bundle)) {
    hashes.push_back(leaf_hash(entry));
    if (!is_notable(entry)) continue;
    const auto leaf = parse_leaf(entry);
    if (leaf && leaf->index == first + hashes.size() - 1) notable(*leaf);
  }
  return hashes;
}

std::vector<Digest> hashes_of_tile(std::string_view tile) {
  auto hashes = decode_hashes(tile, static_cast<unsigned>(tile.size() / sizeof(Digest)));
  return hashes ? std::move(*hashes) : std::vector<Digest>{};
}

}  // namespace

std::vector<std::string_view> split_entries(std::string_view bundle) {
  std::vector<std::string_view> entries;
  while (bundle.size() >= 2 && entries.size() < kTileWidth) {
    const auto high = static_cast<unsigned char>(bundle[0]);
    const auto low = static_cast<unsigned char>(bundle[1]);
    const std::size_t length = static_cast<std::size_t>(high) << 8 | low;
    if (length > bundle.size() - 2) break;
    entries.push_back(bundle.substr(2, length));
    bundle.remove_prefix(2 + length);
  }
  return entries;
}

std::optional<std::vector<Digest>> reconcile(std::span<const Digest> a, std::span<const Digest> b,
                                             const Digest& expected) {
  if (root_of(a) == expected) return std::vector<Digest>(a.begin(), a.end());
  if (root_of(b) == expected) return std::vector<Digest>(b.begin(), b.end());
  std::vector<std::size_t> differ;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) differ.push_back(i);
  if (differ.size() < 2 || differ.size() > kChoicesMax) return std::nullopt;
  std::vector<Digest> mixed(a.begin(), a.end());
  for (std::size_t choice = 1; choice < (std::size_t{1} << differ.size()) - 1; ++choice) {
    for (std::size_t i = 0; i < differ.size(); ++i) mixed[differ[i]] = (choice >> i & 1 ? b : a)[differ[i]];
    if (root_of(mixed) == expected) return mixed;
  }
  return std::nullopt;
}

Result<std::string> TileReader::get(const TileId& tile, const std::string& version) const {
  return source_.get(key(tile), version, tile.entries ? kEntryBundleBytesMax : kHashTileBytesMax);
}

std::optional<TileId> TileReader::widest(bool entries, unsigned level, std::uint64_t index) const {
  auto found = inventory_.tiles.upper_bound(TileId{entries, level, index, kTileWidth});
  while (found != inventory_.tiles.begin()) {
    --found;
    if (found->first.entries != entries || found->first.level != level || found->first.index != index) break;
    if (found->second.front().latest) return found->first;
  }
  return std::nullopt;
}

std::vector<TileId> TileReader::all(bool entries, unsigned level, std::uint64_t index) const {
  std::vector<TileId> found;
  const auto end = inventory_.tiles.upper_bound(TileId{entries, level, index, kTileWidth});
  for (auto tile = inventory_.tiles.lower_bound(TileId{entries, level, index, 0}); tile != end; ++tile)
    found.push_back(tile->first);
  std::reverse(found.begin(), found.end());
  return found;
}

void StoredTree::load(std::uint64_t size, const std::function<void(const Leaf&)>& notable) {
  std::uint64_t holes = 0;
  for (std::uint64_t n = 0; holes < kHolesMax; ++n) {
    Bundle bundle;
    const auto width = n < bundles_of(size) ? static_cast<unsigned>(bundle_width(size, n)) : 0;
    const auto read = [&](bool entries) -> std::string {
      auto tile = tiles_.widest(entries, 0, n);
      if (width > 0 && (!tile || tile->width < width)) {
        // Not listed: written since, or missing.
        if (auto bytes = tiles_.get({entries, 0, n, width})) return std::move(*bytes);
      }
      auto bytes = tile ? tiles_.get(*tile) : Result<std::string>("");
      return bytes ? std::move(*bytes) : std::string();
    };
    bundle.entries = hashes_of_entries(read(true), n * kTileWidth, notable);
    bundle.tile = hashes_of_tile(read(false));
    bundle.agree = bundle.entries == bundle.tile;
    if (bundle.agree) bundle.tile.clear();
    holes = bundle.entries.empty() && bundle.tile.empty() ? holes + 1 : 0;
    bundles_.push_back(std::move(bundle));
    if (holes > 0 && n >= bundles_of(size)) break;
  }
  bundles_.resize(bundles_.size() - holes);
}

std::uint64_t StoredTree::loaded() const {
  if (bundles_.empty()) return 0;
  const Bundle& last = bundles_.back();
  return (bundles_.size() - 1) * kTileWidth + std::max(last.entries.size(), last.tile.size());
}

std::span<const Digest> StoredTree::reading(std::uint64_t n, bool entries, std::uint64_t width) const {
  if (n >= bundles_.size()) return {};
  const Bundle& bundle = bundles_[n];
  const std::vector<Digest>& hashes = entries || bundle.agree ? bundle.entries : bundle.tile;
  return hashes.size() < width ? std::span<const Digest>{} : std::span(hashes).first(width);
}

std::optional<StoredTree::Roots> StoredTree::roots_of_bundles(std::uint64_t size) const {
  Roots roots;
  std::vector<Digest> above;
  for (std::uint64_t n = 0; n < bundles_of(size); ++n) {
    const std::uint64_t width = bundle_width(size, n);
    if (n % kTileWidth == 0) {
      const auto tile = tiles_.widest(false, 1, n / kTileWidth);
      const auto bytes = tile ? tiles_.get(*tile) : Result<std::string>("");
      above = hashes_of_tile(bytes ? *bytes : "");
    }
    std::optional<Digest> by_entries, by_tile, by_above;
    if (const auto hashes = reading(n, true, width); !hashes.empty()) by_entries = root_of(hashes);
    if (const auto hashes = reading(n, false, width); !hashes.empty())
      by_tile = bundles_[n].agree ? by_entries : root_of(hashes);
    if (width == kTileWidth && n % kTileWidth < above.size()) by_above = above[n % kTileWidth];
    const auto any = by_entries ? by_entries : by_tile ? by_tile : by_above;
    if (!any) return std::nullopt;
    roots.entries.push_back(*any);
    roots.tiles.push_back(by_tile ? *by_tile : *any);
    roots.above.push_back(by_above ? *by_above : *any);
  }
  return roots;
}

void StoredTree::append(std::uint64_t n, std::span<const Digest> leaves, std::uint64_t width, bool known) {
  ENSURE(known_.size() == n);
  if (known && proven_ == tree_.size()) proven_ += width;
  known_.push_back(known);
  for (std::uint64_t i = 0; i < width; ++i) tree_.append(i < leaves.size() ? leaves[i] : Digest{});
}

bool StoredTree::settle(std::uint64_t size, const Digest& root) {
  if (bundles_of(size) > bundles_.size()) return false;
  const auto roots = roots_of_bundles(size);
  if (!roots) return false;
  auto chosen = reconcile(roots->entries, roots->tiles, root);
  if (!chosen) chosen = reconcile(roots->entries, roots->above, root);
  if (!chosen) chosen = reconcile(roots->tiles, roots->above, root);
  // A tree of one bundle has its root for the bundle's, whatever is stored.
  if (!chosen && bundles_of(size) == 1) chosen = {{root}};
  if (!chosen) return false;
  forget();
  bool any = size == 0;
  for (std::uint64_t n = 0; n < bundles_of(size); ++n) {
    const std::uint64_t width = bundle_width(size, n);
    const auto entries = reading(n, true, width), tile = reading(n, false, width);
    const auto leaves = reconcile(entries.empty() ? tile : entries, tile.empty() ? entries : tile, (*chosen)[n]);
    append(n, leaves ? *leaves : std::vector<Digest>{}, width, leaves.has_value());
    any = any || leaves;
  }
  return any;
}

void StoredTree::settle_without_root(std::uint64_t size) {
  forget();
  size = std::min(size, loaded());
  for (std::uint64_t n = 0; n < bundles_of(size); ++n) {
    const std::uint64_t width = bundle_width(size, n);
    const auto entries = reading(n, true, width), tile = reading(n, false, width);
    append(n, entries, width, !entries.empty() && std::equal(entries.begin(), entries.end(), tile.begin(), tile.end()));
  }
}

void StoredTree::forget() {
  tree_ = {};
  known_.clear();
  proven_ = 0;
}

std::optional<Digest> StoredTree::root(std::uint64_t size) const {
  if (size > proven_) return std::nullopt;
  return tree_.root(size);
}

}  // namespace enclave::archive
