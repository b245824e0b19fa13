#include "sim/disk.h"

#include <algorithm>

#include "base/files.h"
#include "sim/watcher.h"

namespace enclave::sim {
namespace {
constexpr int kSymlinksMax = 40;

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, slash - at);
    ENSURE(part != "..");
    if (!part.empty() && part != ".") parts.emplace_back(part);
    at = slash + 1;
  }
  return parts;
}
}  // namespace

/// An open file; it keeps what was removed readable.
class OpenFile : public File {
 public:
  OpenFile(Disk& disk, Inode::Pointer inode, std::string path, bool writable)
      : disk_(disk),
        inode_(std::move(inode)),
        path_(std::move(path)),
        writable_(writable),
        life_(disk.life_),
        other_program_(disk.other_program_) {
    ++inode_->handles;
  }
  ~OpenFile() override {
    const std::lock_guard lock(disk_.mutex_);
    --inode_->handles;
    disk_.settle(*inode_);
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    const std::lock_guard lock(disk_.mutex_);
    TRY(admit(call::kRead));
    const std::string& content = inode_->content();
    if (offset >= content.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(into.size(), content.size() - offset);
    std::copy_n(content.data() + offset, count, into.data());
    return count;
  }
  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    ENSURE(writable_);
    const bool alive = disk_.life_ == life_ && !disk_.halted_;
    if (auto admitted = admit(call::kWrite); !admitted) {
      if (alive && disk_.random_.chance(0.5))
        (void)disk_.write(*inode_, offset, bytes.substr(0, disk_.random_.below(bytes.size() + 1)), path_);
      return admitted;
    }
    return disk_.write(*inode_, offset, bytes, path_);
  }
  Result<void> sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto admitted = admit(call::kSync); !admitted) {
      if (disk_.life_ != life_ || disk_.halted_) return admitted;
      inode_->drop_dirty(disk_.random_.chance(0.5));
      disk_.recount();
      return admitted;
    }
    return disk_.sync(*inode_, path_);
  }
  Result<void> truncate(std::uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    ENSURE(writable_);
    TRY(admit(call::kTruncate));
    return disk_.truncate(*inode_, bytes, path_);
  }
  Result<FileInfo> info() override {
    const std::lock_guard lock(disk_.mutex_);
    TRY(admit(call::kInfo));
    return disk_.info_of(*inode_);
  }

 private:
  Result<void> admit(std::uint32_t which) {
    if (life_ != disk_.life_ && !other_program_) return Error{Fault::busy, "{}: its process is dead", path_};
    return disk_.admit(which, path_);
  }
  Disk& disk_;
  Inode::Pointer inode_;
  std::string path_;
  bool writable_;
  std::uint64_t life_;
  bool other_program_;
};

Disk::Disk(SimClock& clock, std::uint64_t seed, Options options) : clock_(clock), random_(seed), options_(options) {
  root_ = std::make_shared<Inode>(FileId{options_.device, 1, 0}, FileKind::directory);
  root_->links = 1;
  inodes_[1] = root_;
}
Disk::~Disk() { ENSURE(watchers_.empty()); }

std::optional<Fault> Disk::injected(std::uint32_t which, const std::string& path) {
  std::optional<Fault> fault;
  for (auto& armed : failures_) {
    if ((armed.failure.calls & which) == 0 || !path.starts_with(armed.failure.below)) continue;
    ++armed.seen;
    const bool hit =
        armed.failure.nth > 0 ? armed.seen == armed.failure.nth : random_.chance(armed.failure.probability);
    if (hit) fault = armed.failure.fault;
  }
  return fault;
}

Result<void> Disk::admit(std::uint32_t which, const std::string& path) {
  if (other_program_) return {};
  if (halted_) return Error{Fault::busy, "{}: the process is dead", path};
  if (halt_after_ && (which & call::kChanges) != 0) {
    if (*halt_after_ == 0) {
      halt_after_.reset();
      trace("halt", path);
      // What a killed process asked for last may have happened.
      if (which == call::kWrite || random_.chance(0.5)) {
        halted_ = true;
        return Error{Fault::busy, "{}: the process is dying", path};
      }
      halted_ = true;
      return {};
    }
    --*halt_after_;
  }
  if (const auto fault = injected(which, path)) {
    trace(fmt::format("{} injected into call {}", name_of(*fault), which), path);
    return Error{*fault, "{}: {}", path, *fault == Fault::limit ? "No space left on device" : "Input/output error"};
  }
  return {};
}

Result<Disk::Slot> Disk::slot(const std::string& path, bool follow, int depth) {
  if (depth > kSymlinksMax) return Error{Fault::invalid, "{}: Too many levels of symbolic links", path};
  const auto parts = parts_of(path);
  Slot at{nullptr, "/", root_};
  std::string walked;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (at.inode == nullptr) return Error{Fault::absent, "{}: No such file or directory", path};
    if (at.inode->kind() != FileKind::directory) return Error{Fault::absent, "{}: Not a directory", path};
    const auto& names = at.inode->names();
    const auto found = names.find(parts[i]);
    Slot next{at.inode, parts[i], found == names.end() ? nullptr : found->second};
    const bool last = i + 1 == parts.size();
    if (next.inode != nullptr && next.inode->kind() == FileKind::symlink && (!last || follow)) {
      const std::string& target = next.inode->target;
      next = TRY(slot(target.starts_with('/') ? target : walked + "/" + target, true, depth + 1));
    }
    at = std::move(next);
    walked += "/" + parts[i];
  }
  return at;
}

Result<Inode::Pointer> Disk::existing(const std::string& path, bool follow) {
  auto found = TRY(slot(path, follow));
  if (found.inode == nullptr) return Error{Fault::absent, "{}: No such file or directory", path};
  return found.inode;
}

Result<Inode::Pointer> Disk::directory(const std::string& path) {
  auto found = TRY(existing(path, true));
  if (found->kind() != FileKind::directory) return Error{Fault::absent, "{}: Not a directory", path};
  return found;
}

Inode::Pointer Disk::make_inode(FileKind kind) {
  // The lowest free number, as ext4 takes it: a file that replaces a removed one often has its inode.
  std::erase_if(inodes_, [](const auto& entry) { return entry.second.expired(); });
  std::uint64_t number = 2;
  for (const auto& [taken, inode] : inodes_)
    if (taken == number) ++number;
  const std::int64_t born_ns = options_.births ? clock_.wall_ns() + ++births_ : 0;
  auto inode = std::make_shared<Inode>(FileId{options_.device, number, born_ns}, kind);
  inode->modified_ns = clock_.wall_ns();
  if (kind == FileKind::directory) inode->mode = 0700;
  inodes_[number] = inode;
  if (other_program_) {
    uncounted_.insert(number);
  } else {
    uncounted_.erase(number);
  }
  return inode;
}

void Disk::put_name(const Slot& slot, const Inode::Pointer& inode) {
  slot.directory->change({{{slot.name, inode}}});
  ++inode->links;
  tell(slot.directory, slot.name);
}

/// After the name is gone: a file without name and handle gives its space back.
void Disk::unlinked(const Slot& slot) {
  --slot.inode->links;
  settle(*slot.inode);
  tell(slot.directory, slot.name);
}

void Disk::settle(Inode& inode) {
  if (inode.links == 0 && inode.handles == 0) recount();
}

void Disk::recount() {
  used_ = 0;
  for (const auto& [number, weak] : inodes_) {
    const auto inode = weak.lock();
    if (inode == nullptr || uncounted_.contains(number) || (inode->links == 0 && inode->handles == 0)) continue;
    used_ += inode->content().size();
  }
}

void Disk::trace(std::string_view what, const std::string& path) {
  if (trace_) trace_(fmt::format("{} {} {}", other_program_ ? "writer" : "disk", what, path));
}

FileInfo Disk::info_of(const Inode& inode) const {
  return {.id = inode.id(),
          .kind = inode.kind(),
          .bytes = inode.content().size(),
          .modified_ns = inode.modified_ns,
          .mode = inode.mode,
          .links = inode.links};
}

Result<void> Disk::resize(Inode& inode, std::uint64_t bytes, const std::string& path) {
  if (uncounted_.contains(inode.id().inode)) return {};
  const std::uint64_t now = inode.content().size();
  if (bytes > now && !other_program_ && (used_ > capacity_ || bytes - now > capacity_ - used_))
    return Error{Fault::limit, "{}: No space left on device", path};
  used_ = used_ + bytes - now;
  return {};
}

Result<void> Disk::write(Inode& inode, std::uint64_t offset, std::string_view bytes, const std::string& path) {
  const std::uint64_t end = std::max<std::uint64_t>(inode.content().size(), offset + bytes.size());
  if (auto fits = resize(inode, end, path); !fits) {
    const std::uint64_t room = capacity_ > used_ ? capacity_ - used_ : 0;
    const std::uint64_t fitting = inode.content().size() + room;
    if (fitting > offset) {
      const auto part = bytes.substr(0, fitting - offset);
      (void)resize(inode, std::max<std::uint64_t>(inode.content().size(), offset + part.size()), path);
      inode.write(offset, part);
    }
    return fits;
  }
  inode.write(offset, bytes);
  inode.modified_ns = clock_.wall_ns();
  tell_modified(&inode);
  trace(fmt::format("write {}+{}", offset, bytes.size()), path);
  return {};
}

Result<void> Disk::truncate(Inode& inode, std::uint64_t bytes, const std::string& path) {
  TRY(resize(inode, bytes, path));
  inode.truncate(bytes);
  inode.modified_ns = clock_.wall_ns();
  tell_modified(&inode);
  trace(fmt::format("truncate {}", bytes), path);
  return {};
}

Result<void> Disk::sync(Inode& inode, const std::string& path) {
  inode.sync_content();
  trace("sync", path);
  return {};
}

Result<std::unique_ptr<File>> Disk::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kOpen, path));
  auto inode = TRY(existing(path, true));
  if (inode->kind() != FileKind::regular) return Error{Fault::unsupported, "{}: not a regular file", path};
  return std::make_unique<OpenFile>(*this, std::move(inode), path, false);
}

Result<std::unique_ptr<File>> Disk::create(const std::string& path, Create how) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kCreate, path));
  auto found = TRY(slot(path, true));
  if (found.inode == nullptr) {
    found.inode = make_inode(FileKind::regular);
    put_name(found, found.inode);
    trace("create", path);
  } else if (how == Create::exclusive) {
    return Error{Fault::conflict, "{}: File exists", path};
  } else if (found.inode->kind() != FileKind::regular) {
    return Error{Fault::unsupported, "{}: not a regular file", path};
  } else if (how == Create::truncate && !found.inode->content().empty()) {
    TRY(truncate(*found.inode, 0, path));
  }
  return std::make_unique<OpenFile>(*this, found.inode, path, true);
}

Result<FileInfo> Disk::info(const std::string& path, bool follow) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kInfo, path));
  return info_of(*TRY(existing(path, follow)));
}

Result<std::vector<DirectoryEntry>> Disk::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kList, path));
  const auto found = TRY(directory(path));
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, inode] : found->names()) entries.push_back({name, inode->kind()});
  for (std::size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[random_.below(i)]);
  return entries;
}

Result<void> Disk::make_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kMakeDirectory, path));
  const auto found = TRY(slot(path, true));
  if (found.inode != nullptr) {
    if (found.inode->kind() == FileKind::directory) return {};
    return Error{Fault::conflict, "{}: File exists", path};
  }
  put_name(found, make_inode(FileKind::directory));
  trace("make directory", path);
  return {};
}

Result<void> Disk::symlink(const std::string& target, const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = TRY(slot(path, false));
  if (found.inode != nullptr) return Error{Fault::conflict, "{}: File exists", path};
  auto inode = make_inode(FileKind::symlink);
  inode->target = target;
  put_name(found, inode);
  trace("symlink to " + target, path);
  return {};
}

Result<void> Disk::set_modified(const std::string& path, std::int64_t wall_ns) {
  const std::lock_guard lock(mutex_);
  TRY(existing(path, true))->modified_ns = wall_ns;
  return {};
}

Result<void> Disk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kRename, to));
  const auto source = TRY(slot(from, false));
  const auto target = TRY(slot(to, false));
  if (source.inode == nullptr) return Error{Fault::absent, "{}: No such file or directory", from};
  if (source.inode == target.inode) return {};
  if (target.inode != nullptr && target.inode->kind() == FileKind::directory &&
      (source.inode->kind() != FileKind::directory || !target.inode->names().empty()))
    return Error{Fault::conflict, "{}: is a directory in use", to};
  if (source.directory == target.directory) {
    source.directory->change({{{source.name, nullptr}, {target.name, source.inode}}});
  } else {
    const std::uint64_t move = ++moves_;
    source.directory->change({{{source.name, nullptr}}, move});
    target.directory->change({{{target.name, source.inode}}, move});
  }
  tell(source.directory, source.name);
  if (target.inode != nullptr) unlinked(target);
  tell(target.directory, target.name);
  trace("rename " + from + " to", to);
  return {};
}

Result<void> Disk::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kLink, to));
  const auto source = TRY(existing(from, false));
  const auto target = TRY(slot(to, false));
  if (target.inode != nullptr) return Error{Fault::conflict, "{}: File exists", to};
  if (source->kind() == FileKind::directory) return Error{Fault::denied, "{}: is a directory", from};
  put_name(target, source);
  trace("link " + from + " as", to);
  return {};
}

Result<void> Disk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kRemove, path));
  const auto found = TRY(slot(path, false));
  if (found.inode == nullptr) return Error{Fault::absent, "{}: No such file or directory", path};
  if (found.inode->kind() == FileKind::directory && !other_program_)
    return Error{Fault::unsupported, "{}: Is a directory", path};
  if (!found.inode->names().empty()) return Error{Fault::conflict, "{}: Directory not empty", path};
  found.directory->change({{{found.name, nullptr}}});
  unlinked(found);
  if (found.inode->kind() == FileKind::directory) tell(found.inode, "");
  trace("remove", path);
  return {};
}

Result<void> Disk::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  TRY(admit(call::kSyncDirectory, path));
  const auto found = TRY(directory(path));
  sync_names(found, found->unsynced_names().size());
  trace("sync directory", path);
  return {};
}

std::unique_ptr<Watcher> Disk::watcher() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<SimWatcher>(*this);
}

void Disk::tell(const Inode::Pointer& directory, const std::string& name) {
  for (SimWatcher* watcher : watchers_) watcher->changed(directory, name);
}

void Disk::tell_modified(const Inode* inode) {
  for (SimWatcher* watcher : watchers_) watcher->modified(inode);
}

void Disk::fail(Failure failure) { failures_.push_back({std::move(failure)}); }
void Disk::heal() { failures_.clear(); }

}  // namespace enclave::sim
