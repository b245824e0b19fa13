#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "base/encoding.h"
#include "base/files.h"
#include "cloud/file_versions.h"
#include "cloud/file_walk.h"
#include "cloud/object_store.h"

namespace enclave::cloud {
namespace {

using Kind = KeptVersion::Kind;

// Numbers of versions are remembered for that many keys; then the memory is emptied and the directories are read again.
constexpr std::size_t kRemembered = 256;

ObjectInfo info_of(const std::string& key, const FileInfo& file, std::uint64_t number, bool latest) {
  ObjectInfo info;
  info.key = key;
  info.bytes = file.bytes;
  info.etag = fmt::format("{:x}-{:x}", file.modified_ns, file.bytes);
  info.version = version_text(number);
  info.latest = latest;
  info.modified_ns = file.modified_ns;
  return info;
}

class FileStore final : public ObjectStore {
 public:
  FileStore(World world, std::string directory)
      : files_(world.files), random_(world.random), directory_(std::move(directory)) {}

  Result<std::string> put(const std::string& key, std::string_view bytes) override {
    TRY(check_file_key(key));
    const std::lock_guard lock(writing_);
    const std::string plain = plain_path(key);
    TRY(make_parent(key, plain));
    const std::string temporary = TRY(write_temporary(bytes));
    auto number = replace(key, plain, temporary);
    if (!number) {
      (void)files_.remove(temporary);
      return in_the_way(key, plain, std::move(number).error());
    }
    return version_text(*number);
  }

  Result<std::string> put_file(const std::string& key, const std::string& path) override {
    TRY(check_file_key(key));
    const std::lock_guard lock(writing_);
    const std::string plain = plain_path(key);
    TRY(make_parent(key, plain));
    auto number = replace(key, plain, path);
    if (!number) return in_the_way(key, plain, std::move(number).error());
    return version_text(*number);
  }

  Result<std::string> put_if_absent(const std::string& key, std::string_view bytes) override {
    TRY(check_file_key(key));
    const std::lock_guard lock(writing_);
    const std::string plain = plain_path(key);
    TRY(make_parent(key, plain));
    // Spares the writing when the answer is known; link() below decides.
    if (const auto found = files_.info(plain, false)) return taken(key, found->kind);
    const std::string temporary = TRY(write_temporary(bytes));
    auto linked = files_.link(temporary, plain);
    (void)files_.remove(temporary);
    if (!linked) {
      if (linked.error().fault() == Fault::conflict) return taken(key, FileKind::regular);
      return std::move(linked).error();
    }
    TRY(files_.sync_directory(parent_of(plain)));
    return version_text(TRY(highest_of(key)) + 1);
  }

  Result<std::string> adopt(const std::string& key, const std::string& path) override {
    TRY(check_file_key(key));
    const std::lock_guard lock(writing_);
    const std::string plain = plain_path(key);
    TRY(make_parent(key, plain));
    if (auto linked = files_.link(path, plain); !linked) {
      if (linked.error().fault() != Fault::conflict)  // another file system, or one without links
        return Error{Fault::unsupported, "{}: {}", name(), linked.error().text()};
      const auto found = files_.info(plain, false);
      return taken(key, found ? found->kind : FileKind::regular);
    }
    TRY(files_.sync_directory(parent_of(plain)));
    return version_text(TRY(highest_of(key)) + 1);
  }

  Result<std::string> get(const std::string& key, const std::string& version, std::uint64_t bytes_max) override {
    TRY(check_file_key(key));
    if (version.empty()) return told(key, version, read_file(files_, plain_path(key), bytes_max));
    const std::uint64_t number = TRY(number_of(key, version));
    for (;;) {
      auto kept = read_file(files_, kept_path(key, {number, Kind::object}), bytes_max);
      if (kept || kept.error().fault() != Fault::absent) return kept;
      // The latest, or none at all. It may become an older one while it is read: then it is found where those are.
      auto latest = read_file(files_, plain_path(key), bytes_max);
      if (!latest && latest.error().fault() != Fault::absent) return latest;
      const KeyState state = TRY(state_of(files_, plain_path(key), versions_path(key)));
      if (latest && state.latest == number) return latest;
      if (!has_object(state, number)) return missing(key, version);
    }
  }

  Result<ObjectInfo> head(const std::string& key, const std::string& version) override {
    TRY(check_file_key(key));
    const KeyState state = TRY(state_of(files_, plain_path(key), versions_path(key)));
    const std::uint64_t number = version.empty() ? state.latest : TRY(number_of(key, version));
    if (state.plain && state.latest == number) return info_of(key, *state.plain, number, true);
    if (number == 0 || !has_object(state, number)) return missing(key, version);
    return info_of(key, TRY(files_.info(kept_path(key, {number, Kind::object}), false)), number, false);
  }

  Result<void> list(const Listing& listing, const std::function<Result<void>(const ObjectInfo&)>& visit) override {
    if (auto root = files_.info(directory_); !root) return Error{Fault::absent, "{}: there is no such bucket", name()};
    return walk_keys(files_, directory_, listing.prefix, listing.versions,
                     [&](const std::string& key) { return list_key(key, listing.versions, visit); });
  }

  Result<void> remove(const std::string& key, const std::string& version) override {
    TRY(check_file_key(key));
    const std::lock_guard lock(writing_);
    const KeyState state = TRY(state_of(files_, plain_path(key), versions_path(key)));
    highest_.erase(key);
    if (version.empty()) return state.plain ? mark_deleted(key, state) : Result<void>();
    const auto number = version_number(version);
    if (!number) return {};
    if (state.plain && state.latest == *number) return remove_latest(key, state);
    return remove_kept(key, state, *number);
  }

  std::string name() const override { return fmt::format("file://{}", directory_); }

 private:
  std::string plain_path(const std::string& key) const { return join_path(directory_, key); }
  std::string versions_path(const std::string& key) const {
    return fmt::format("{}/{}/{}", directory_, kVersionsDirectory, key);
  }
  std::string kept_path(const std::string& key, KeptVersion version) const {
    return join_path(versions_path(key), name_of(version));
  }

  Error missing(const std::string& key, const std::string& version) const {
    if (version.empty()) return Error{Fault::absent, "{}: there is no object \"{}\"", name(), key};
    return Error{Fault::absent, "{}: there is no version {} of \"{}\"", name(), version, key};
  }
  Result<std::string> told(const std::string& key, const std::string& version, Result<std::string> read) const {
    // A directory under the key's name holds longer keys; it is no object.
    if (!read && (read.error().fault() == Fault::absent || read.error().fault() == Fault::unsupported))
      return missing(key, version);
    return read;
  }
  Error taken(const std::string& key, FileKind kind) const {
    if (kind == FileKind::directory) return stands_in_the_way(key);
    return Error{Fault::conflict, "{}: \"{}\" is there already", name(), key};
  }
  Error stands_in_the_way(const std::string& key) const {
    return Error{Fault::unsupported,
                 "{}: \"{}\" cannot be stored beside the keys that are there: a file store cannot hold both a key and "
                 "the same key followed by a slash and more",
                 name(), key};
  }
  Error in_the_way(const std::string& key, const std::string& plain, Error error) const {
    const auto found = files_.info(plain, false);
    if (found && found->kind == FileKind::directory) return stands_in_the_way(key);
    return error;
  }
  Result<std::uint64_t> number_of(const std::string& key, const std::string& version) const {
    const auto number = version_number(version);
    if (!number) return missing(key, version);
    return *number;
  }
  static bool has_object(const KeyState& state, std::uint64_t number) {
    return std::any_of(state.kept.begin(), state.kept.end(), [&](const KeptVersion& version) {
      return version.number == number && version.kind == Kind::object;
    });
  }

  Result<void> make_parent(const std::string& key, const std::string& path) const {
    auto made = make_directories(files_, parent_of(path));
    if (!made && made.error().fault() == Fault::conflict) return stands_in_the_way(key);
    return made;
  }

  Result<std::string> write_temporary(std::string_view bytes) {
    const std::string directory = join_path(directory_, kTemporaryDirectory);
    if (!swept_) {
      // What a crash left behind. Nobody else writes here.
      TRY(make_directories(files_, directory));
      for (const auto& entry : TRY(files_.list(directory)))
        TRY(remove_if_there(files_, join_path(directory, entry.name)));
      swept_ = true;
    }
    std::array<std::uint8_t, 16> name{};
    random_.fill(name);
    std::string path = join_path(directory, to_hex(bytes_of(name)));
    const auto write = [&]() -> Result<void> {
      auto file = TRY(files_.create(path, Create::exclusive));
      TRY(file->write_at(0, bytes));
      return file->sync();
    };
    if (auto written = write(); !written) {
      (void)files_.remove(path);
      return std::move(written).error();
    }
    return path;
  }

  // The number that the key's directory of versions ends with. The directory of a key that is replaced often is long,
  // so it is read once.
  Result<std::uint64_t> highest_of(const std::string& key) {
    if (const auto known = highest_.find(key); known != highest_.end()) return known->second;
    const KeyState state = TRY(state_of(files_, plain_path(key), versions_path(key)));
    if (highest_.size() >= kRemembered) highest_.clear();
    return highest_[key] = state.highest();
  }

  Result<std::uint64_t> replace(const std::string& key, const std::string& plain, const std::string& temporary) {
    std::uint64_t highest = TRY(highest_of(key));
    const auto found = files_.info(plain, false);
    if (found && found->kind == FileKind::regular) {
      TRY(keep(key, plain, *found, highest));
    } else if (!found && found.error().fault() != Fault::absent) {
      return found.error();
    }
    highest_[key] = highest;
    // Readers see the old or the new one, at every moment.
    TRY(files_.rename(temporary, plain));
    TRY(files_.sync_directory(parent_of(plain)));
    return highest + 1;
  }

  // Gives the plain file its second name, among the versions; `highest` follows.
  Result<void> keep(const std::string& key, const std::string& plain, const FileInfo& found, std::uint64_t& highest) {
    if (found.links > 1) {
      const KeyState state = TRY(state_of(files_, plain, versions_path(key)));
      highest = state.highest();
      // A crash between the two names: it is kept already.
      if (state.latest <= highest) return {};
    }
    const std::string directory = versions_path(key);
    auto made = make_directories(files_, directory);
    if (!made) return made.error().fault() == Fault::conflict ? stands_in_the_way(key) : std::move(made).error();
    TRY(files_.link(plain, kept_path(key, {highest + 1, Kind::object})));
    TRY(files_.sync_directory(directory));
    ++highest;
    return {};
  }

  Result<void> mark_deleted(const std::string& key, const KeyState& state) {
    const std::string plain = plain_path(key);
    std::uint64_t highest = state.highest();
    TRY(keep(key, plain, *state.plain, highest));
    // A marker on top of an interrupted deletion is enough.
    if (state.kept.empty() || state.kept.front().kind != Kind::marker || state.latest > state.highest())
      TRY(create_file(files_, kept_path(key, {highest + 1, Kind::marker}), ""));
    TRY(files_.remove(plain));
    return files_.sync_directory(parent_of(plain));
  }

  Result<void> remove_latest(const std::string& key, const KeyState& state) {
    const std::string plain = plain_path(key);
    KeyState rest = state;
    if (state.latest <= state.highest()) {
      // It has a second name: see state_of().
      TRY(files_.remove(kept_path(key, {state.latest, Kind::object})));
      std::erase_if(rest.kept, [&](const auto& version) { return version.number == state.latest; });
    }
    if (const auto* next = next_of(rest); next != nullptr && next->kind == Kind::object)
      return promote(key, rest, *next);
    TRY(files_.remove(plain));
    return files_.sync_directory(parent_of(plain));
  }

  Result<void> remove_kept(const std::string& key, const KeyState& state, std::uint64_t number) {
    const auto found = std::find_if(state.kept.begin(), state.kept.end(),
                                    [&](const auto& version) { return version.number == number; });
    if (found == state.kept.end() || found->kind == Kind::removed) return {};
    // The plain file's number is one above the highest: something must go on holding that place.
    if (state.plain && found == state.kept.begin())
      TRY(create_file(files_, kept_path(key, {number, Kind::removed}), ""));
    TRY(files_.remove(kept_path(key, *found)));
    TRY(files_.sync_directory(versions_path(key)));
    if (state.plain || found->number != top_of(state)) return {};
    KeyState rest = state;
    std::erase_if(rest.kept, [&](const auto& version) { return version.number == number; });
    if (const auto* next = next_of(rest); next != nullptr && next->kind == Kind::object)
      return promote(key, rest, *next);
    return {};
  }

  // The newest of the kept ones that still means something.
  static const KeptVersion* next_of(const KeyState& state) {
    for (const auto& version : state.kept)
      if (version.kind != Kind::removed) return &version;
    return nullptr;
  }
  static std::uint64_t top_of(const KeyState& state) {
    const auto* top = next_of(state);
    return top == nullptr ? 0 : top->number;
  }

  // An older version becomes the latest and keeps its number: what stands there must end one below it.
  Result<void> promote(const std::string& key, const KeyState& state, KeptVersion version) {
    const bool gap = version.number > 1 && std::none_of(state.kept.begin(), state.kept.end(), [&](const auto& other) {
                       return other.number == version.number - 1;
                     });
    if (gap) TRY(create_file(files_, kept_path(key, {version.number - 1, Kind::removed}), ""));
    for (const auto& other : state.kept)
      if (other.number > version.number) TRY(remove_if_there(files_, kept_path(key, other)));
    const std::string plain = plain_path(key);
    TRY(make_parent(key, plain));
    TRY(files_.rename(kept_path(key, version), plain));
    TRY(files_.sync_directory(versions_path(key)));
    return files_.sync_directory(parent_of(plain));
  }

  Result<void> list_key(const std::string& key, bool versions,
                        const std::function<Result<void>(const ObjectInfo&)>& visit) const {
    const KeyState state = TRY(state_of(files_, plain_path(key), versions_path(key)));
    if (state.plain) TRY(visit(info_of(key, *state.plain, state.latest, true)));
    if (!versions) return {};
    bool latest = !state.plain;
    for (const auto& version : state.kept) {
      if (version.kind == Kind::removed || (state.plain && version.number == state.latest)) continue;
      const auto file = files_.info(kept_path(key, version), false);
      if (!file) {
        if (file.error().fault() == Fault::absent) continue;
        return file.error();
      }
      ObjectInfo info = info_of(key, *file, version.number, latest && version.kind == Kind::marker);
      info.delete_marker = version.kind == Kind::marker;
      TRY(visit(info));
      latest = false;
    }
    return {};
  }

  Files& files_;
  Random& random_;
  const std::string directory_;
  std::mutex writing_;  ///< readers take no lock: the order of the writes keeps them right
  bool swept_ = false;
  std::map<std::string, std::uint64_t> highest_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_file_store(World world, std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  if (directory.empty()) return Error{Fault::invalid, "a file store needs a directory"};
  if (auto found = world.files.info(directory)) {
    if (found->kind != FileKind::directory)
      return Error{Fault::invalid, "{}: is not a directory; a file store needs one", directory};
  } else if (found.error().fault() != Fault::absent) {
    return std::move(found).error();
  }
  return std::unique_ptr<ObjectStore>(std::make_unique<FileStore>(world, std::move(directory)));
}

}  // namespace enclave::cloud
