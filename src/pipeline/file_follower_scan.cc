#include <algorithm>

#include "base/files.h"
#include "pipeline/file_follower.h"

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kScanPause = kSecond;
constexpr std::int64_t kCheckPause = kSecond;
constexpr std::int64_t kActiveNs = 60 * kSecond;
constexpr std::int64_t kGraceNs = 60 * kSecond;

}  // namespace

void FileFollower::take_changes() {
  if (!watcher_) return;
  changes_.clear();
  if (watcher_->take(changes_)) scan_soon();
  for (const auto& change : changes_) take_change(change);
}

void FileFollower::take_change(const Watcher::Change& change) {
  if (change.name.empty()) return scan_soon();
  const std::string path = change.directory == "." ? change.name : join_path(change.directory, change.name);
  Tail* tail = tails_.by_path(path);
  if (tail == nullptr && scanner_.wants(path)) return scan_soon();
  if (tail == nullptr && !scanner_.is_deep()) return;
  const auto info = world_.files.info(path);
  if (tail == nullptr) {
    if (info && info->kind == FileKind::directory) scan_soon();
  } else if (info && info->id == tail->state.id) {
    look_at(*tail, *info);
  } else {
    // Renamed, removed or replaced. What was written to it last can still be had through the open handle.
    if (tail->file) enqueue(*tail);
    scan_soon();
  }
}

// The directory of a symbolic link does not tell when its target grows.
void FileFollower::check_unwatched() {
  if (!any_unwatched_ || now_ns_ < next_check_ns_) return;
  next_check_ns_ = now_ns_ + kCheckPause;
  const std::int64_t wall_ns = world_.clock.wall_ns();
  for (const auto& tail : tails_.all()) {
    if (!tail->unwatched || !tail->file || wall_ns - tail->state.modified_ns > kActiveNs) continue;
    if (const auto info = tail->file->info()) look_at(*tail, *info);
  }
}

void FileFollower::scan_soon() {
  next_scan_ns_ = std::min(next_scan_ns_, std::max(now_ns_, last_scan_ns_ + kScanPause));
}

void FileFollower::scan() {
  ++scans_;
  last_scan_ns_ = now_ns_;
  next_scan_ns_ = now_ns_ + options_.scan_every.count();
  next_check_ns_ = now_ns_ + kCheckPause;
  any_unwatched_ = false;
  listings_.clear();
  const FileScan found = scanner_.scan();
  watch(found.directories);
  std::vector<const FoundFile*> unknown;
  for (const FoundFile& file : found.files) {
    Tail* tail = tails_.by_id(file.info.id);
    if (tail != nullptr && is_reused(*tail, file.info, file.path)) {
      orphan(*tail);
      tail = nullptr;
    }
    if (tail != nullptr) {
      meet(*tail, file);
    } else {
      unknown.push_back(&file);
    }
  }
  // Tails are added meanwhile, so that iterators would not stay valid.
  const auto& all = tails_.all();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->scan != scans_ && !all[i]->is_orphan() && !all[i]->forgotten) locate(*all[i]);
  if (!unknown.empty()) {
    // Which content is gone must be known before it is asked where it went.
    verify_queued();
    const Related relations = related();
    for (const FoundFile* file : unknown) adopt(*file, relations);
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->is_orphan() && !all[i]->forgotten && !continue_orphan(*all[i])) expire(*all[i]);
  first_start_ = false;
  listings_.clear();
}

void FileFollower::watch(const std::set<std::string>& directories) {
  if (!watcher_) return;
  for (const auto& directory : watched_)
    if (!directories.contains(directory)) watcher_->unwatch(directory);
  watched_.clear();
  for (const auto& directory : directories) {
    // Each time again: a directory that was removed and made anew has lost its watch.
    auto watching = watcher_->watch(directory);
    if (watching) {
      watched_.insert(directory);
    } else if (watching.error().fault() == Fault::limit) {
      troubles_.tell("directory watches", fmt::format("{}; until then new lines are found every {} only",
                                                      watching.error().text(), format_duration(options_.scan_every)));
    }
  }
  if (watched_.size() == directories.size()) troubles_.resolve("directory watches");
}

bool FileFollower::is_watched(std::string_view path) const {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return watched_.contains(parent_of(path));
  return watched_.contains(path.substr(0, slash));
}

void FileFollower::meet(Tail& tail, const FoundFile& found) {
  // Reached by a second path in the same scan: the first one is its path.
  if (tail.scan == scans_) return;
  tail.scan = scans_;
  tail.restored = false;
  tail.deleted = false;
  tail.gone_since_ns = 0;
  tail.unwatched = found.link || !is_watched(found.path);
  any_unwatched_ = any_unwatched_ || tail.unwatched;
  if (tail.state.path != found.path) {
    tails_.move(tail, found.path);
    mark(tail);
  }
  look_at(tail, found.info);
}

void FileFollower::look_at(Tail& tail, const FileInfo& info) {
  const bool known = tail.stored_bytes != Tail::kUnknown;
  const bool changed = (known && info.bytes != tail.stored_bytes) || info.modified_ns != tail.state.modified_ns;
  if (tail.state.packed && tail.state.whole) {
    tail.stored_bytes = info.bytes;
    if (!changed) return;
    tail.state.modified_ns = info.modified_ns;
    tail.state.whole = false;
    return enqueue(tail);
  }
  const bool unread = !known && (tail.state.packed || tail.cursor.offset != info.bytes);
  if (changed || unread || tail.stuck_since_ns != 0) return enqueue(tail);
  tail.stored_bytes = info.bytes;
  tail.at_end = !tail.queued;
}

// A file that no pattern found: renamed, removed, or moved out of the patterns' sight.
void FileFollower::locate(Tail& tail) {
  if (tail.file) {
    locate_open(tail);
  } else {
    locate_closed(tail);
  }
  // Nothing will ever ask for it again.
  const bool out_of_sight = !tail.is_orphan() && !scanner_.wants(tail.state.path);
  if (tail.state.packed && tail.state.whole && !tail.forgotten && out_of_sight) forget(tail);
}

void FileFollower::locate_open(Tail& tail) {
  const auto info = tail.file->info();
  if (!info) return;
  look_at(tail, *info);
  tail.deleted = info->links == 0;
  if (!tail.deleted) {
    const auto there = world_.files.info(tail.state.path);
    if (!there || there->id != tail.state.id) find_moved(tail);
    return;
  }
  if (tail.queued) return;
  // A writer may go on for a while; the disk's space must not be held for ever.
  if (tail.gone_since_ns == 0) tail.gone_since_ns = std::max<std::int64_t>(now_ns_, 1);
  if (now_ns_ - tail.gone_since_ns >= kGraceNs) forget(tail);
}

void FileFollower::locate_closed(Tail& tail) {
  auto info = world_.files.info(tail.state.path);
  if (!info || tails_.by_id(info->id) != &tail) {
    // A directory that cannot be read tells nothing about its files.
    if (info ? false : info.error().fault() != Fault::absent) return;
    if (listing(parent_of(tail.state.path)).failed) return;
    if (!find_moved(tail)) return orphan(tail);
    info = world_.files.info(tail.state.path);
  }
  if (!info) return;
  tail.restored = false;
  tail.gone_since_ns = 0;
  look_at(tail, *info);
}

bool FileFollower::find_moved(Tail& tail) {
  const std::string directory = parent_of(tail.state.path);
  Listing& there = listing(directory);
  if (!there.by_inode) {
    there.by_inode.emplace();
    for (const auto& entry : there.entries) {
      if (entry.kind != FileKind::regular) continue;
      const std::string path = join_path(directory, entry.name);
      if (const auto info = world_.files.info(path, false)) there.by_inode->emplace(info->id.inode, path);
    }
  }
  const auto found = there.by_inode->find(tail.state.id.inode);
  if (found == there.by_inode->end()) return false;
  const auto info = world_.files.info(found->second, false);
  if (!info || tails_.by_id(info->id) != &tail || is_reused(tail, *info, found->second)) return false;
  tails_.move(tail, found->second);
  mark(tail);
  return true;
}

FileFollower::Listing& FileFollower::listing(const std::string& directory) {
  const auto [at, is_new] = listings_.try_emplace(directory);
  if (!is_new) return at->second;
  auto entries = world_.files.list(directory);
  if (entries) {
    at->second.entries = std::move(*entries);
  } else {
    at->second.absent = entries.error().fault() == Fault::absent;
    at->second.failed = !at->second.absent;
  }
  return at->second;
}

}  // namespace enclave::pipeline
