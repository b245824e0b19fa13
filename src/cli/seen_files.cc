#include "cli/seen_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace enclave::cli {
namespace {

constexpr std::size_t kKeptBytesMax = 16 << 20;
constexpr std::string_view kFile = "file ", kVariable = "variable ";

/// A file as it was when it was read.
class KeptFile final : public File {
 public:
  KeptFile(std::shared_ptr<const std::string> content, const FileInfo& info)
      : content_(std::move(content)), info_(info) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= content_->size()) return std::size_t{0};
    const std::size_t got = std::min<std::size_t>(into.size(), content_->size() - offset);
    std::memcpy(into.data(), content_->data() + offset, got);
    return got;
  }
  Result<void> write_at(std::uint64_t /*offset*/, std::string_view /*bytes*/) override { return read_only(); }
  Result<void> truncate(std::uint64_t /*bytes*/) override { return read_only(); }
  Result<void> sync() override { return {}; }
  Result<FileInfo> info() override {
    FileInfo info = info_;
    info.bytes = content_->size();
    return info;
  }

 private:
  static Error read_only() { return {Fault::denied, "the file is open for reading"}; }
  const std::shared_ptr<const std::string> content_;
  const FileInfo info_;
};

/// Nothing when it is larger than that, or cannot be read.
std::optional<std::string> content_of(File& file, std::size_t bytes_max) {
  std::string content;
  for (std::size_t used = 0;;) {
    constexpr std::size_t kPiece = 64 << 10;
    if (used > bytes_max) return std::nullopt;
    content.resize(used + kPiece);
    const auto got = file.read_at(used, std::span(content).subspan(used));
    if (!got) return std::nullopt;
    used += *got;
    if (*got > 0) continue;
    content.resize(used);
    return content;
  }
}

std::string digest_of(std::string_view text) {
  const auto digest = crypto::sha256(text);
  return to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Stamp stamp_of(const Result<FileInfo>& info) {
  if (!info) return {};
  if (info->kind == FileKind::directory) return {.kind = Stamp::Kind::folder};
  if (info->kind != FileKind::regular) return {.kind = Stamp::Kind::other};
  return {Stamp::Kind::file, info->id, info->bytes, info->modified_ns, {}};
}

Stamp stamp_of(const Result<std::vector<DirectoryEntry>>& entries) {
  if (!entries) return {};
  std::set<std::string> names;
  for (const auto& entry : *entries)
    names.insert(fmt::format("{}\t{}", entry.name, static_cast<int>(entry.kind == FileKind::directory)));
  Stamp stamp{.kind = Stamp::Kind::folder};
  for (const auto& name : names) stamp.names += name + '\n';
  return stamp;
}

std::string text_of(const Stamp& stamp) {
  return fmt::format("{}:{}:{}:{}", stamp.id.device, stamp.id.inode, stamp.bytes, stamp.modified_ns);
}

}  // namespace

Stamps look_again(Files& files, const Stamps& before) {
  Stamps now;
  for (const auto& [path, stamp] : before) {
    const bool listed = path.size() > 1 && path.ends_with('/');
    now.emplace(path, listed ? stamp_of(files.list(path.substr(0, path.size() - 1))) : stamp_of(files.info(path)));
  }
  return now;
}

bool same_files(const Stamps& one, const Stamps& other) {
  const auto next = [](Stamps::const_iterator at, Stamps::const_iterator end) {
    return std::find_if(at, end, [](const auto& each) { return !each.first.ends_with('/'); });
  };
  auto a = next(one.begin(), one.end()), b = next(other.begin(), other.end());
  for (; a != one.end() && b != other.end(); a = next(++a, one.end()), b = next(++b, other.end()))
    if (*a != *b) return false;
  return a == one.end() && b == other.end();
}

std::vector<std::string> differences(const Basis& before, const Basis& now, std::size_t most) {
  std::set<std::string> names;
  const auto add_missing = [&names](const Basis& of, const Basis& in) {
    for (const auto& [name, value] : of) {
      const auto found = in.find(name);
      if (found != in.end() && found->second == value) continue;
      names.insert(name.starts_with(kFile) ? name.substr(kFile.size()) : name);
    }
  };
  add_missing(before, now);
  add_missing(now, before);
  std::vector<std::string> some(names.begin(), names.end());
  if (some.size() > most) some.resize(most);
  return some;
}

bool SeenFiles::passes(std::string_view path) const {
  return frozen_ || path.starts_with("/proc/") || path.starts_with("/sys/") || path.starts_with("/dev/");
}

void SeenFiles::note(const std::string& path, std::string text) {
  if (to_ != nullptr) to_->insert_or_assign(std::string(kFile) + path, std::move(text));
}

std::optional<std::string> SeenFiles::variable(
    std::string_view name, const std::function<std::optional<std::string>(std::string_view)>& find) {
  Basis* const of = credit(nullptr);
  auto value = find(name);
  credit(of);
  if (of != nullptr)
    of->insert_or_assign(fmt::format("{}{}", kVariable, name), value ? digest_of(*value) : std::string());
  return value;
}

Result<std::unique_ptr<File>> SeenFiles::open(const std::string& path) {
  const auto kept = [&](const Content& content, const FileInfo& info) {
    return std::unique_ptr<File>(std::make_unique<KeptFile>(content, info));
  };
  if (const auto known = contents_.find(path); known != contents_.end()) {
    note(path, digests_.find(path)->second);
    const Stamp& stamp = stamps_.find(path)->second;
    FileInfo info{.id = stamp.id, .bytes = stamp.bytes, .modified_ns = stamp.modified_ns};
    return kept(known->second, info);
  }
  if (passes(path)) return real_.open(path);
  auto file = real_.open(path);
  const auto info = file ? (*file)->info() : Result<FileInfo>(file.error());
  Stamp& stamp = stamps_[path] = stamp_of(info);
  if (!file || !info) {
    note(path, "");
    return file;
  }
  auto content = info->bytes <= kKeptBytesMax - kept_bytes_ ? content_of(**file, kKeptBytesMax - kept_bytes_)
                                                            : std::optional<std::string>();
  if (!content) {
    note(path, text_of(stamp));
    return file;
  }
  kept_bytes_ += content->size();
  stamp.bytes = content->size();
  note(path, digests_[path] = digest_of(*content));
  return kept(contents_[path] = std::make_shared<const std::string>(std::move(*content)), *info);
}

Result<FileInfo> SeenFiles::info(const std::string& path, bool follow) {
  auto info = real_.info(path, follow);
  if (passes(path) || contents_.contains(path)) return info;
  const Stamp stamp = follow ? stamp_of(info) : stamp_of(real_.info(path));
  // Who only asks opens it by itself, as libraries do: which file it is must do then.
  if (stamp.kind == Stamp::Kind::file) note(path, text_of(stamp));
  stamps_[path] = stamp;
  return info;
}

Result<std::vector<DirectoryEntry>> SeenFiles::list(const std::string& directory) {
  auto entries = real_.list(directory);
  if (!passes(directory + "/")) stamps_[directory == "/" ? directory : directory + "/"] = stamp_of(entries);
  return entries;
}

QuietWait::Found QuietWait::look(Stamps now) {
  if (now == read_) {
    restless_ = 0;
    seen_ = std::move(now);
    return Found::same;
  }
  if (now != seen_) {
    const bool names_only = same_files(now, seen_);
    seen_ = std::move(now);
    if (!names_only || ++restless_ < kRestlessMax) return Found::changing;
  }
  restless_ = 0;
  return Found::quiet;
}

}  // namespace enclave::cli
