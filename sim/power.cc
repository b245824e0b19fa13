#include <algorithm>

#include "sim/disk.h"

/// The part of the disk that deals with what is on the platter: syncing names, cutting power.
namespace enclave::sim {

void Disk::sync_names(const Inode::Pointer& directory, std::size_t count) {
  const auto& changes = directory->unsynced_names();
  std::vector<std::uint64_t> moves;
  for (std::size_t i = 0; i < count; ++i)
    if (changes[i].move != 0) moves.push_back(changes[i].move);
  directory->sync_names(count);
  // The other half of a rename between directories goes along: it is one transaction.
  for (const std::uint64_t move : moves) {
    for (const auto& [number, weak] : inodes_) {
      const auto other = weak.lock();
      if (other == nullptr) continue;
      const auto& theirs = other->unsynced_names();
      const auto half = std::find_if(theirs.begin(), theirs.end(), [&](const auto& c) { return c.move == move; });
      if (half == theirs.end()) continue;
      sync_names(other, static_cast<std::size_t>(half - theirs.begin()) + 1);
      break;
    }
  }
}

void Disk::resume() {
  const std::lock_guard lock(mutex_);
  halted_ = false;
  halt_after_.reset();
  ++life_;
  trace("resume", "");
}

void Disk::flush() {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, weak] : inodes_) {
    const auto inode = weak.lock();
    if (inode == nullptr) continue;
    inode->sync_content();
    inode->sync_names(inode->unsynced_names().size());
  }
}

void Disk::count_links(Inode& directory) {
  for (const auto& [name, inode] : directory.names()) {
    ++inode->links;
    if (inode->kind() == FileKind::directory) count_links(*inode);
  }
}

void Disk::cut_power() {
  const std::lock_guard lock(mutex_);
  resume();
  trace("power cut", "");
  std::vector<std::pair<Inode::Pointer, std::size_t>> keep;
  for (const auto& [number, weak] : inodes_)
    if (auto inode = weak.lock()) keep.emplace_back(inode, random_.below(inode->unsynced_names().size() + 1));
  // A rename between directories survives in both or in none.
  std::map<std::uint64_t, std::vector<std::pair<std::size_t, std::size_t>>> halves;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    const auto& changes = keep[i].first->unsynced_names();
    for (std::size_t j = 0; j < changes.size(); ++j)
      if (changes[j].move != 0) halves[changes[j].move].emplace_back(i, j);
  }
  for (bool again = true; again;) {
    again = false;
    for (const auto& [move, places] : halves) {
      const bool lost = std::any_of(places.begin(), places.end(),
                                    [&](const auto& place) { return place.second >= keep[place.first].second; });
      for (const auto& [inode, at] : places) {
        if (!lost || at >= keep[inode].second) continue;
        keep[inode].second = at;
        again = true;
      }
    }
  }
  for (auto& [inode, count] : keep) {
    inode->lose_power_names(count);
    if (inode->kind() == FileKind::regular) inode->lose_power_content(random_);
    inode->links = 0;
  }
  root_->links = 1;
  count_links(*root_);
  keep.clear();
  recount();
}

}  // namespace enclave::sim
