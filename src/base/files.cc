#include "base/files.h"

#include <algorithm>
#include <atomic>

namespace enclave {
namespace {

// Distinct within the process; processes are told apart by the lock on their state directory.
std::string temporary_name(const std::string& path) {
  // tidy: allow global: a name that nobody else in the process has needs something that they share
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}/.{}.tmp{}", parent_of(path), name_in(path), counter.fetch_add(1));
}

Result<std::string> write_temporary(Files& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = temporary_name(path);
  const auto write = [&]() -> Result<void> {
    auto file = TRY(files.create(temporary, Create::truncate));
    TRY(file->write_at(0, bytes));
    return file->sync();
  };
  if (auto written = write(); !written) {
    (void)files.remove(temporary);
    return std::move(written).error();
  }
  return temporary;
}

}  // namespace

Result<std::string> read_file(Files& files, const std::string& path, std::uint64_t bytes_max) {
  auto file = TRY(files.open(path));
  std::string bytes;
  const std::uint64_t expected = TRY(file->info()).bytes;
  // Files of the kernel claim to be empty, and some give their text only to a reader who has room for all of it.
  constexpr std::uint64_t kRoomMin = 4096;
  bytes.resize(std::max(std::min(expected, bytes_max), std::min(kRoomMin, bytes_max)) + 1);
  std::size_t filled = 0;
  for (;;) {
    if (filled > bytes_max) return Error{Fault::limit, "{}: more than {} bytes", path, bytes_max};
    if (filled == bytes.size()) bytes.resize(bytes.size() * 2);
    const std::size_t got = TRY(file->read_at(filled, std::span<char>(bytes).subspan(filled)));
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> replace_file(Files& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = TRY(write_temporary(files, path, bytes));
  if (auto renamed = files.rename(temporary, path); !renamed) {
    (void)files.remove(temporary);
    return renamed;
  }
  return files.sync_directory(parent_of(path));
}

Result<void> create_file(Files& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = TRY(write_temporary(files, path, bytes));
  auto linked = files.link(temporary, path);
  (void)files.remove(temporary);
  if (!linked) return linked;
  return files.sync_directory(parent_of(path));
}

Result<void> make_directories(Files& files, const std::string& path) {
  if (auto found = files.info(path)) {
    if (found->kind == FileKind::directory) return {};
    return Error{Fault::conflict, "{} is in the way: a directory must stand there", path};
  }
  const std::string parent = parent_of(path);
  if (parent != path) TRY(make_directories(files, parent));
  TRY(files.make_directory(path));
  return files.sync_directory(parent);
}

Result<void> remove_if_there(Files& files, const std::string& path) {
  auto removed = files.remove(path);
  if (!removed && removed.error().fault() == Fault::absent) return {};
  return removed;
}

namespace {
Result<void> walk(Files& files, const std::string& root, const std::string& below,
                  const std::function<Result<void>(const std::string&, const FileInfo&)>& visit) {
  const std::string directory = below.empty() ? root : join_path(root, below);
  auto entries = files.list(directory);
  if (!entries) {
    if (entries.error().fault() == Fault::absent) return {};
    return std::move(entries).error();
  }
  std::sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& entry : *entries) {
    const std::string relative = below.empty() ? entry.name : join_path(below, entry.name);
    if (entry.kind == FileKind::directory) {
      TRY(walk(files, root, relative, visit));
    } else if (entry.kind == FileKind::regular) {
      auto info = files.info(join_path(root, relative), false);
      if (!info) {
        if (info.error().fault() == Fault::absent) continue;
        return std::move(info).error();
      }
      TRY(visit(relative, *info));
    }
  }
  return {};
}
}  // namespace

Result<void> walk_files(Files& files, const std::string& root,
                        const std::function<Result<void>(const std::string&, const FileInfo&)>& visit) {
  return walk(files, root, "", visit);
}

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string_view name_in(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join_path(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  if (directory.back() == '/') return fmt::format("{}{}", directory, name);
  return fmt::format("{}/{}", directory, name);
}

std::string user_state_directory(std::string_view xdg_state_home, std::string_view home) {
  if (xdg_state_home.starts_with('/')) return join_path(xdg_state_home, "enclave");
  return home.starts_with('/') ? join_path(home, ".local/state/enclave") : "";
}

}  // namespace enclave
