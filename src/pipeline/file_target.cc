#include "pipeline/file_target.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "pipeline/gzip_member.h"

namespace enclave::pipeline {

Result<io::GrowingFile> FileTargets::open_file(const std::string& path) {
  if (options_.gzip) TRY(set_aside_when_torn(path));
  const io::GrowingFile::How how{options_.file_mode, !options_.from_events};
  auto file = io::GrowingFile::open(path, how);
  if (!file && file.error().fault() == Fault::absent) {
    TRY(io::make_folders(parent_of(path), options_.folder_mode));
    file = io::GrowingFile::open(path, how);
  }
  return file;
}

/// What follows a torn gzip member cannot be read by anybody: such a file is left as it is, under another name.
Result<void> FileTargets::set_aside_when_torn(const std::string& path) {
  const auto file = setup_.world.files.open(path);
  if (!file) return {};
  std::vector<char> buffer(64 << 10);
  std::uint64_t at = 0;
  const auto read = [&]() -> Result<std::string_view> {
    const std::size_t got = TRY((*file)->read_at(at, buffer));
    at += got;
    return std::string_view(buffer.data(), got);
  };
  if (TRY(whole_gzip_bytes(read)) == TRY((*file)->info()).bytes) return {};
  const std::string aside = fmt::format("{}.torn-{}", path, setup_.world.clock.wall_ns());
  TRY(setup_.world.files.rename(path, aside));
  setup_.log.trouble(path, fmt::format("{}: its end is torn, so nothing can be appended; it is {} now", path, aside));
  return {};
}

Result<FileTargets::Open*> FileTargets::opened(const std::string& path) {
  if (const auto found = by_path_.find(path); found != by_path_.end()) {
    const auto open = found->second;
    if (open->file.is_at(path)) {
      files_.splice(files_.begin(), files_, open);
      return &*open;
    }
    // Renamed or deleted from outside.
    TRY(close(open));
  }
  if (!options_.create_if_deleted && path != options_.failure) {
    if (const auto there = setup_.world.files.info(path); !there)
      return Error{Fault::absent, "{}: is not there, and create_if_deleted is off", path};
  }
  while (files_.size() >= kOpenMax) TRY(close(std::prev(files_.end())));
  io::GrowingFile file = TRY(open_file(path));
  if (file.is_new()) folders_to_sync_.push_back(parent_of(path));
  files_.push_front({path, std::move(file)});
  by_path_.emplace(files_.front().path, files_.begin());
  setup_.log.count("files_open", 1);
  return &files_.front();
}

Result<void> FileTargets::write(Open& open, std::span<const std::string_view> pieces, bool begun,
                                std::size_t& written) {
  if (options_.overwrite && !begun) TRY(open.file.truncate());
  const bool first = open.used_boot_ns == 0;
  open.used_boot_ns = setup_.world.clock.boot_ns();
  open.dirty = true;
  const char last = open.file.last_byte();
  const bool lines = !options_.gzip && !options_.overwrite && !pieces.empty() && pieces.back().ends_with('\n');
  // A line that a crash has torn must not swallow the next one.
  if (first && lines && last != 0 && last != '\n') {
    constexpr std::string_view kEnd[] = {"\n"};
    std::size_t one = 0;
    TRY(open.file.append(kEnd, one));
  }
  return open.file.append(pieces, written);
}

/// What no waiting helps: the path that an event made is one that the system does not take.
bool FileTargets::is_hopeless(const Error& error, const std::string& path) const {
  if (path == options_.failure) return false;
  if (!options_.create_if_deleted && error.fault() == Fault::absent) return true;
  return options_.from_events && error.fault() != Fault::limit && error.fault() != Fault::busy;
}

Result<void> FileTargets::append(const std::string& wanted, std::span<const std::string_view> pieces) {
  std::string path = wanted;
  std::vector<std::string_view> rest;
  bool failing = false, begun = false;
  if (path == options_.failure) setup_.log.count("events_misdirected", static_cast<std::int64_t>(pieces.size()));
  for (;;) {
    auto open = opened(path);
    std::size_t written = 0;
    Result<void> done;
    if (open)
      done = write(**open, pieces, begun, written);
    else
      done = Error(open.error());
    if (done) {
      if (failing) setup_.log.resolved(wanted);
      patience_.reset();
      return {};
    }
    if (!begun && !open && is_hopeless(done.error(), path)) {
      setup_.log.trouble(wanted, done.error().text());
      path = options_.failure;
      setup_.log.count("events_misdirected", static_cast<std::int64_t>(pieces.size()));
      continue;
    }
    setup_.log.trouble(wanted, done.error().text());
    failing = true;
    // A full disk takes some of it: what is written already is not written again.
    if (written > 0) {
      begun = true;
      rest.assign(pieces.begin(), pieces.end());
      auto first = rest.begin();
      while (first != rest.end() && written >= first->size()) written -= (first++)->size();
      rest.erase(rest.begin(), first);
      if (!rest.empty()) rest.front().remove_prefix(written);
      pieces = rest;
    }
    if (!patience_.wait()) return Error{Fault::busy, "{}: the program stops", done.error().text()};
  }
}

Result<void> FileTargets::sync_one(Open& open) {
  if (!open.dirty) return {};
  TRY(open.file.sync());
  open.dirty = false;
  return {};
}

Result<void> FileTargets::close(Files::iterator which) {
  TRY(sync_one(*which));
  by_path_.erase(which->path);
  files_.erase(which);
  setup_.log.count("files_open", -1);
  return {};
}

Result<void> FileTargets::sync() {
  std::ranges::sort(folders_to_sync_);
  const auto same = std::ranges::unique(folders_to_sync_);
  folders_to_sync_.erase(same.begin(), same.end());
  for (const auto& folder : folders_to_sync_) {
    // One that is gone was deleted from outside.
    const auto synced = setup_.world.files.sync_directory(folder);
    if (!synced && synced.error().fault() != Fault::absent && synced.error().fault() != Fault::denied) return synced;
  }
  folders_to_sync_.clear();
  const std::int64_t stale = setup_.world.clock.boot_ns() - options_.stale_after.count();
  for (auto open = files_.begin(); open != files_.end();) {
    TRY(sync_one(*open));
    const auto at = open++;
    if (at->used_boot_ns < stale) TRY(close(at));
  }
  return {};
}

}  // namespace enclave::pipeline
