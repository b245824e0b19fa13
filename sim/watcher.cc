#include "sim/watcher.h"

#include <algorithm>

namespace enclave::sim {

SimWatcher::SimWatcher(Disk& disk) : disk_(disk) { disk_.watchers_.push_back(this); }

SimWatcher::~SimWatcher() {
  const std::lock_guard lock(disk_.mutex_);
  std::erase(disk_.watchers_, this);
}

Result<void> SimWatcher::watch(const std::string& directory) {
  const std::lock_guard lock(disk_.mutex_);
  auto inode = TRY(disk_.directory(directory));
  // The kernel has one watch per inode: the last path wins.
  std::erase_if(watched_, [&](const auto& entry) { return entry.second == inode && entry.first != directory; });
  const auto found = watched_.find(directory);
  if (found == watched_.end() && watched_.size() >= disk_.options_.watching.watches_max)
    return Error{Fault::limit, "{}: the limit of watches is reached", directory};
  watched_[directory] = std::move(inode);
  return {};
}

void SimWatcher::unwatch(const std::string& directory) {
  const std::lock_guard lock(disk_.mutex_);
  watched_.erase(directory);
}

bool SimWatcher::take(std::vector<Change>& changes) {
  const std::lock_guard lock(disk_.mutex_);
  std::vector<Late> later;
  for (auto& late : waiting_) {
    if (late.due_ns > disk_.clock_.elapsed_ns()) {
      later.push_back(std::move(late));
      continue;
    }
    merged_.erase({late.change.directory, late.change.name});
    changes.push_back(std::move(late.change));
  }
  waiting_ = std::move(later);
  return std::exchange(overflow_, false);
}

void SimWatcher::changed(const Inode::Pointer& directory, const std::string& name) {
  const Watching& watching = disk_.options_.watching;
  for (const auto& [path, inode] : watched_) {
    if (inode != directory) continue;
    if (disk_.random_.chance(watching.missed)) {
      overflow_ = overflow_ || disk_.random_.chance(watching.overflow);
      continue;
    }
    if (!merged_.emplace(path, name).second) continue;
    const auto delay =
        static_cast<std::int64_t>(disk_.random_.below(static_cast<std::uint64_t>(watching.delay_max.count()) + 1));
    waiting_.push_back({disk_.clock_.elapsed_ns() + delay, {path, name}});
  }
}

void SimWatcher::modified(const Inode* inode) {
  for (const auto& watched : std::map(watched_))
    for (const auto& [name, entry] : watched.second->names())
      if (entry.get() == inode) changed(watched.second, name);
}

}  // namespace enclave::sim
