#include "pipeline/file_tails.h"

#include <algorithm>

namespace enclave::pipeline {

Tail& TailTable::add(std::unique_ptr<Tail> tail) {
  Tail& added = *tails_.emplace_back(std::move(tail));
  if (!added.is_orphan()) by_inode_.emplace(added.state.id.inode, &added);
  if (!added.is_orphan()) index_path(added);
  return added;
}

Tail* TailTable::by_id(const FileId& id) {
  const auto [begin, end] = by_inode_.equal_range(id.inode);
  for (auto at = begin; at != end; ++at)
    if (at->second->state.id == id) return at->second;
  // Device numbers may change between boots; inode and birth together hardly meet by chance.
  for (auto at = begin; at != end; ++at) {
    Tail& tail = *at->second;
    if (!tail.restored || id.born_ns == 0 || tail.state.id.born_ns != id.born_ns) continue;
    tail.state.id.device = id.device;
    return &tail;
  }
  return nullptr;
}

Tail* TailTable::by_path(const std::string& path) {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : found->second;
}

void TailTable::unindex_id(Tail& tail) {
  const auto [begin, end] = by_inode_.equal_range(tail.state.id.inode);
  const auto found = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &tail; });
  if (found != end) by_inode_.erase(found);
}

void TailTable::unindex_path(Tail& tail) {
  const auto found = by_path_.find(tail.state.path);
  if (found != by_path_.end() && found->second == &tail) by_path_.erase(found);
}

void TailTable::identify(Tail& tail, const FileId& id) {
  unindex_id(tail);
  tail.state.id = id;
  if (tail.is_orphan()) return unindex_path(tail);
  by_inode_.emplace(id.inode, &tail);
}

void TailTable::move(Tail& tail, const std::string& path) {
  unindex_path(tail);
  tail.state.path = path;
  index_path(tail);
}

void TailTable::index_path(Tail& tail) {
  // The key must be the text of the tail that it leads to, since that one lives as long.
  by_path_.erase(tail.state.path);
  by_path_.emplace(tail.state.path, &tail);
}

void TailTable::sweep() {
  std::erase_if(tails_, [&](const std::unique_ptr<Tail>& tail) {
    if (!tail->forgotten) return false;
    close(*tail);
    unindex_id(*tail);
    unindex_path(*tail);
    return true;
  });
}

Result<void> TailTable::open(Tail& tail) {
  if (tail.file) return {};
  while (open_.size() >= open_max_ && close_idlest()) continue;
  auto file = files_.open(tail.state.path);
  // The process has no descriptor left: others need some as well.
  if (!file && file.error().fault() == Fault::limit) {
    for (std::size_t i = open_.size() / 2; i > 0 && close_idlest(); --i) continue;
    file = files_.open(tail.state.path);
  }
  auto opened = TRY(std::move(file));
  const FileInfo info = TRY(opened->info());
  if (info.id != tail.state.id) return Error{Fault::conflict, "{}: another file stands there now", tail.state.path};
  tail.file = std::move(opened);
  tail.place = open_.insert(open_.end(), &tail);
  return {};
}

void TailTable::close(Tail& tail) {
  if (!tail.file) return;
  tail.unpacker.reset();
  tail.file.reset();
  open_.erase(tail.place);
}

void TailTable::touch(Tail& tail) {
  if (tail.file) open_.splice(open_.end(), open_, tail.place);
}

bool TailTable::close_idlest() {
  // A deleted file cannot be opened again, and an unpacker would have to begin anew.
  const auto idle = std::find_if(open_.begin(), open_.end(),
                                 [](const Tail* tail) { return !tail->deleted && !tail->queued && !tail->unpacker; });
  const auto found = idle != open_.end() ? idle : std::find_if(open_.begin(), open_.end(), [](const Tail* tail) {
    return !tail->deleted && !tail->unpacker;
  });
  if (found == open_.end()) return false;
  close(**found);
  return true;
}

}  // namespace enclave::pipeline
