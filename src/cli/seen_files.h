#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ports.h"

/// What a configuration was made from, so that a change of it can be noticed, and told from one that changes nothing.
namespace enclave::cli {

/// A path as it was found. Two that are equal stand for the same content.
struct Stamp {
  enum class Kind : std::uint8_t { absent, file, folder, other };
  Kind kind = Kind::absent;
  FileId id = {};
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::string names = {};  ///< of a folder that was listed
  bool operator==(const Stamp&) const = default;
};
/// By path; a folder that was listed stands there a second time, with "/" behind it.
using Stamps = std::map<std::string, Stamp>;

/// The same paths as they are now.
Stamps look_again(Files& files, const Stamps& before);

/// Whether the files are the same; what else stands in their folders is not looked at.
bool same_files(const Stamps& one, const Stamps& other);

/// What one flow was made from: "file /etc/a.conf" → a digest of its content, "variable NAME" → one of its value, and
/// what its settings are. Flows with equal bases do the same.
using Basis = std::map<std::string, std::string>;

/// The names of what differs: "/etc/a.conf", "variable NAME". At most `most`.
std::vector<std::string> differences(const Basis& before, const Basis& now, std::size_t most);

/// The file system, which remembers what was read and what it held: until freeze() one thread uses it, then any do.
/// After freeze() it gives small files (together at most 16 MiB) as they were, so what was checked is what runs.
/// Of /proc, /sys and /dev it remembers nothing.
class SeenFiles final : public Files {
 public:
  explicit SeenFiles(Files& real) : real_(real) {}

  /// What is read from now on belongs to this basis too; null: to none, it is only watched. Gives the one before.
  Basis* credit(Basis* to) { return frozen_ ? nullptr : std::exchange(to_, to); }
  /// Looks a variable up: its value belongs to the basis, the keystore that holds it does not.
  std::optional<std::string> variable(std::string_view name,
                                      const std::function<std::optional<std::string>(std::string_view)>& find);
  void freeze() { frozen_ = true, to_ = nullptr; }
  /// As they were when they were read.
  const Stamps& stamps() const { return stamps_; }

  Result<std::unique_ptr<File>> open(const std::string& path) override;
  Result<FileInfo> info(const std::string& path, bool follow) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  Result<std::unique_ptr<File>> create(const std::string& path, Create how) override { return real_.create(path, how); }
  Result<void> make_directory(const std::string& path) override { return real_.make_directory(path); }
  Result<void> rename(const std::string& from, const std::string& to) override { return real_.rename(from, to); }
  Result<void> link(const std::string& from, const std::string& to) override { return real_.link(from, to); }
  Result<void> remove(const std::string& path) override { return real_.remove(path); }
  Result<void> sync_directory(const std::string& directory) override { return real_.sync_directory(directory); }
  std::unique_ptr<Watcher> watcher() override { return real_.watcher(); }

 private:
  using Content = std::shared_ptr<const std::string>;
  bool passes(std::string_view path) const;
  void note(const std::string& path, std::string text);

  Files& real_;
  Basis* to_ = nullptr;
  Stamps stamps_;
  std::map<std::string, Content> contents_;
  std::map<std::string, std::string> digests_;
  std::size_t kept_bytes_ = 0;
  bool frozen_ = false;
};

/// Says when files that changed may be read: a change is waited out, since who writes a file may not be done yet. Names
/// that come and go for ever, as in a folder that is used for other things too, are waited for ten looks long.
class QuietWait {
 public:
  enum class Found : std::uint8_t {
    same,      ///< as it was read
    changing,  ///< look again soon
    quiet,     ///< changed, and the same at two looks: to be read now
  };
  Found look(Stamps now);
  /// It was read, whatever came of it.
  void read(Stamps as) { read_ = seen_ = std::move(as); }
  const Stamps& as_read() const { return read_; }

 private:
  static constexpr int kRestlessMax = 10;
  Stamps read_, seen_;
  int restless_ = 0;
};

}  // namespace enclave::cli
