#include "sim/store.h"

#include <algorithm>

#include "base/encoding.h"

namespace enclave::sim {
namespace {
constexpr std::string_view kCheckpoint = "/checkpoint";
constexpr std::size_t kKeyBytesMax = 1024;
constexpr std::size_t kViolationsMax = 100;
}  // namespace

void SimStore::violated(std::string text) {
  if (trace_) trace_("store VIOLATION " + text);
  if (violations_.size() < kViolationsMax) violations_.push_back(std::move(text));
}

Result<void> SimStore::arrive(std::string_view what, const std::string& key) {
  ++calls_;
  if (key.empty() || key.size() > kKeyBytesMax || !is_utf8(key)) violated(fmt::format("bad key: {}", to_hex(key)));
  const bool reached = !(dead_ && dead_()) && !away_ && clock_.elapsed_ns() >= stalled_until_;
  const bool failed = !reached || random_.chance(manners_.fails);
  if (trace_) trace_(fmt::format("store {} {}{}", what, key, failed ? " (fails)" : ""));
  if (failed) return Error{Fault::busy, "{}: {}", key, reached ? "503 Slow Down" : "no answer"};
  return {};
}

Result<void> SimStore::answer(const std::string& key) {
  if (!random_.chance(manners_.answer_lost)) return {};
  if (trace_) trace_("store answer lost " + key);
  return Error{Fault::busy, "{}: timed out", key};
}

std::string SimStore::store(const std::string& key, std::string_view bytes, bool delete_marker) {
  auto& versions = objects_[key];
  versions.push_back({std::string(bytes), fmt::format("{:020}", ++versions_), delete_marker, clock_.wall_ns()});
  return versions.back().version;
}

const SimStore::Version* SimStore::find(const std::string& key, const std::string& version) const {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return nullptr;
  for (auto it = found->second.rbegin(); it != found->second.rend(); ++it) {
    if (version.empty()) return it->delete_marker ? nullptr : &*it;
    if (it->version == version) return &*it;
  }
  return nullptr;
}

Result<std::string> SimStore::put(const std::string& key, std::string_view bytes) {
  TRY(arrive("put", key));
  if (key.ends_with(kCheckpoint)) {
    check_checkpoint(key, bytes);
  } else {
    violated(fmt::format("{}: put without a condition; only checkpoints are replaced", key));
  }
  const std::string version = store(key, bytes, false);
  TRY(answer(key));
  return version;
}

Result<std::string> SimStore::put_if_absent(const std::string& key, std::string_view bytes) {
  TRY(arrive("put if absent", key));
  if (const Version* there = find(key, "")) {
    if (there->bytes != bytes) violated(fmt::format("{}: other bytes for a key that is written once", key));
    TRY(answer(key));
    return Error{Fault::conflict, "{}: is there already", key};
  }
  if (key.ends_with(kCheckpoint)) check_checkpoint(key, bytes);
  const std::string version = store(key, bytes, false);
  TRY(answer(key));
  return version;
}

Result<std::string> SimStore::get(const std::string& key, const std::string& version, std::uint64_t bytes_max) {
  TRY(arrive("get", key));
  const Version* found = find(key, version);
  if (found == nullptr || found->delete_marker) return Error{Fault::absent, "{}: no such object", key};
  if (found->bytes.size() > bytes_max) return Error{Fault::limit, "{}: more than {} bytes", key, bytes_max};
  return found->bytes;
}

cloud::ObjectInfo SimStore::info_of(const std::string& key, const Version& version, bool latest) const {
  return {.key = key,
          .bytes = version.bytes.size(),
          .etag = to_hex(bytes_of(crypto::sha256(version.bytes))).substr(0, 32),
          .version = version.version,
          .latest = latest,
          .delete_marker = version.delete_marker,
          .modified_ns = version.modified_ns};
}

Result<cloud::ObjectInfo> SimStore::head(const std::string& key, const std::string& version) {
  TRY(arrive("head", key));
  const Version* found = find(key, version);
  if (found == nullptr) return Error{Fault::absent, "{}: no such object", key};
  return info_of(key, *found, found == &objects_.at(key).back());
}

Result<void> SimStore::list(const cloud::Listing& listing,
                            const std::function<Result<void>(const cloud::ObjectInfo&)>& visit) {
  TRY(arrive("list", listing.prefix.empty() ? "/" : listing.prefix));
  for (auto it = objects_.lower_bound(listing.prefix); it != objects_.end() && it->first.starts_with(listing.prefix);
       ++it) {
    for (auto version = it->second.rbegin(); version != it->second.rend(); ++version) {
      const bool latest = version == it->second.rbegin();
      if (!listing.versions && (!latest || version->delete_marker)) continue;
      TRY(visit(info_of(it->first, *version, latest)));
    }
  }
  return {};
}

Result<void> SimStore::remove(const std::string& key, const std::string& version) {
  TRY(arrive("remove", key));
  violated(fmt::format("{}: removed; a log only grows", key));
  const auto found = objects_.find(key);
  if (found != objects_.end() && version.empty()) store(key, "", true);
  if (found != objects_.end() && !version.empty())
    std::erase_if(found->second, [&](const Version& one) { return one.version == version; });
  return answer(key);
}

std::map<std::string, std::string> SimStore::objects() const {
  std::map<std::string, std::string> latest;
  for (const auto& [key, versions] : objects_)
    if (const Version* found = find(key, "")) latest[key] = found->bytes;
  return latest;
}

void SimStore::check_checkpoint(const std::string& key, std::string_view note) {
  const auto check = [&]() -> Result<void> {
    const auto parsed = TRY(archive::Note::parse(note));
    const auto checkpoint = TRY(archive::Checkpoint::parse(parsed.text));
    const std::string prefix = key.substr(0, key.size() - kCheckpoint.size());
    if (prefix != "v1/" + checkpoint.origin)
      return Error{Fault::corrupt, "is of another origin, {}", checkpoint.origin};
    auto& size = sizes_[key];
    if (checkpoint.size < size) return Error{Fault::corrupt, "goes back from {} to {} leaves", size, checkpoint.size};
    size = checkpoint.size;
    return check_tree(prefix + "/", checkpoint);
  };
  if (auto checked = check(); !checked) violated(fmt::format("{}: {}", key, checked.error().text()));
}

Result<std::string> SimStore::tile(const std::string& prefix, archive::TileId id) const {
  const Version* found = find(prefix + archive::tile_path(id), "");
  if (found == nullptr) return Error{Fault::absent, "published before {} was there", archive::tile_path(id)};
  return found->bytes;
}

Result<void> SimStore::check_object(const archive::Leaf& leaf) const {
  if (!leaf.object) return {};
  const Version* found = find(leaf.object->key, "");
  if (found == nullptr) return Error{Fault::absent, "published before {} was there", leaf.object->key};
  if (found->bytes.size() != leaf.object->bytes || crypto::sha256(found->bytes) != leaf.object->sha256)
    return Error{Fault::corrupt, "leaf {} names other bytes than those of {}", leaf.index, leaf.object->key};
  return {};
}

Result<void> SimStore::check_tree(const std::string& prefix, const archive::Checkpoint& checkpoint) const {
  archive::TileTree tree;
  const auto tiles = archive::tiles_between(0, checkpoint.size);
  for (const auto& id : tiles) {
    if (!id.entries) continue;
    const std::string bundle = TRY(tile(prefix, id));
    for (const auto entry : TRY(archive::decode_entries(bundle, id.width))) {
      const auto leaf = TRY(archive::parse_leaf(entry));
      if (leaf.index != tree.size() || leaf.origin != checkpoint.origin)
        return Error{Fault::corrupt, "entry {} is leaf {} of {}", tree.size(), leaf.index, leaf.origin};
      TRY(check_object(leaf));
      tree.append(archive::leaf_hash(entry));
    }
  }
  if (tree.size() != checkpoint.size || tree.root() != checkpoint.root)
    return Error{Fault::corrupt, "its root is not that of the entries"};
  for (const auto& id : tiles)
    if (!id.entries && TRY(tile(prefix, id)) != tree.hash_tile(id))
      return Error{Fault::corrupt, "{} does not hold the hashes of the entries", archive::tile_path(id)};
  return {};
}

}  // namespace enclave::sim
