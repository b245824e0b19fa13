#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"

/// A file system in memory for the tests of this folder. It keeps what was synced apart from what was only written, and
/// can fail from the n-th call on.
namespace enclave::archive {

class TestFiles final : public Files {
 public:
  /// What becomes of unsynced bytes and names when the power goes.
  enum class Crash { lose_all, keep_all, mixed };

  TestFiles() { live_.directories = durable_.directories = {"/"}; }

  /// Calls `first`, `first`+1, …, `count` of them, fail. The first call is number 1.
  void fail(std::uint64_t first, std::uint64_t count) { first_failing_ = calls_ + first, failing_ = count; }
  std::uint64_t calls() const { return calls_; }
  bool failed() const { return failed_; }

  void crash(Crash how, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto keep = [&] { return how == Crash::keep_all || (how == Crash::mixed && random() % 2 == 0); };
    for (const auto& [path, node] : live_.files)
      if (!durable_.files.contains(path) || durable_.files[path] != node)
        if (keep()) durable_.files[path] = node;
    for (const auto& [path, node] : std::map(durable_.files))
      if (!live_.files.contains(path) && keep()) durable_.files.erase(path);
    for (const auto& path : live_.directories)
      if (keep()) durable_.directories.insert(path);
    // A file without its directory is lost with it.
    std::erase_if(durable_.files,
                  [&](const auto& each) { return !durable_.directories.contains(parent_of(each.first)); });
    for (const auto& [path, node] : durable_.files) {
      if (!keep())
        node->bytes = node->synced;
      else if (how == Crash::mixed && node->bytes.size() > node->synced.size())
        node->bytes.resize(node->synced.size() + random() % (node->bytes.size() - node->synced.size() + 1));
      node->synced = node->bytes;
    }
    live_ = durable_;
    failing_ = 0;
    failed_ = false;
  }

  // For the tests themselves: neither counted nor failing.
  std::string* bytes(const std::string& path) {
    const auto found = live_.files.find(path);
    return found == live_.files.end() ? nullptr : &found->second->bytes;
  }
  void put(const std::string& path, const std::string& text) {
    for (std::string up = parent_of(path); up != "/"; up = parent_of(up)) live_.directories.insert(up);
    durable_.directories.insert(live_.directories.begin(), live_.directories.end());
    live_.files[path] = durable_.files[path] = std::make_shared<Node>(Node{text, text, next_inode_++});
  }
  void heal() { failing_ = 0; }
  void drop(const std::string& path) { live_.files.erase(path); }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, node] : live_.files) all.push_back(path);
    return all;
  }

  Result<std::unique_ptr<File>> open(const std::string& path) override {
    TRY(step());
    const auto found = live_.files.find(path);
    if (found == live_.files.end()) return Error{Fault::absent, "{}: not there", path};
    return std::make_unique<Open>(*this, found->second);
  }
  Result<std::unique_ptr<File>> create(const std::string& path, Create how) override {
    TRY(step());
    if (!live_.directories.contains(parent_of(path))) return Error{Fault::absent, "{}: no directory", path};
    auto& node = live_.files[path];
    if (node && how == Create::exclusive) return Error{Fault::conflict, "{} exists", path};
    if (!node) node = std::make_shared<Node>(Node{"", "", next_inode_++});
    if (how == Create::truncate) node->bytes.clear();
    return std::make_unique<Open>(*this, node);
  }
  Result<FileInfo> info(const std::string& path, bool) override {
    TRY(step());
    FileInfo info;
    if (live_.directories.contains(path)) {
      info.kind = FileKind::directory;
      return info;
    }
    const auto found = live_.files.find(path);
    if (found == live_.files.end()) return Error{Fault::absent, "{}: not there", path};
    info.id.inode = found->second->inode;
    info.bytes = found->second->bytes.size();
    return info;
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    TRY(step());
    if (!live_.directories.contains(directory)) return Error{Fault::absent, "{}: not there", directory};
    std::vector<DirectoryEntry> entries;
    for (const auto& path : live_.directories)
      if (path != "/" && parent_of(path) == directory)
        entries.push_back({std::string(name_in(path)), FileKind::directory});
    for (const auto& [path, node] : live_.files)
      if (parent_of(path) == directory) entries.push_back({std::string(name_in(path)), FileKind::regular});
    return entries;
  }
  Result<void> make_directory(const std::string& path) override {
    TRY(step());
    if (!live_.directories.contains(parent_of(path))) return Error{Fault::absent, "{}: no parent", path};
    live_.directories.insert(path);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    TRY(step());
    const auto found = live_.files.find(from);
    if (found == live_.files.end()) return Error{Fault::absent, "{}: not there", from};
    auto node = found->second;
    live_.files.erase(found);
    live_.files[to] = std::move(node);
    return {};
  }
  Result<void> link(const std::string& from, const std::string& to) override {
    TRY(step());
    const auto found = live_.files.find(from);
    if (found == live_.files.end()) return Error{Fault::absent, "{}: not there", from};
    if (!live_.files.emplace(to, found->second).second) return Error{Fault::conflict, "{} exists", to};
    return {};
  }
  Result<void> remove(const std::string& path) override {
    TRY(step());
    if (live_.files.erase(path) == 0) return Error{Fault::absent, "{}: not there", path};
    return {};
  }
  Result<void> sync_directory(const std::string& directory) override {
    TRY(step());
    if (!live_.directories.contains(directory)) return Error{Fault::absent, "{}: not there", directory};
    std::erase_if(durable_.files, [&](const auto& each) { return parent_of(each.first) == directory; });
    for (const auto& [path, node] : live_.files)
      if (parent_of(path) == directory) durable_.files[path] = node;
    for (const auto& path : live_.directories)
      if (parent_of(path) == directory) durable_.directories.insert(path);
    return {};
  }
  std::unique_ptr<Watcher> watcher() override { return nullptr; }

 private:
  struct Node {
    std::string bytes;
    std::string synced;
    std::uint64_t inode = 0;
  };
  struct Tree {
    std::map<std::string, std::shared_ptr<Node>> files;
    std::set<std::string> directories;
  };

  class Open final : public File {
   public:
    Open(TestFiles& disk, std::shared_ptr<Node> node) : disk_(disk), node_(std::move(node)) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
      TRY(disk_.step());
      if (offset >= node_->bytes.size()) return std::size_t{0};
      const std::size_t count = std::min<std::size_t>(into.size(), node_->bytes.size() - offset);
      std::copy_n(node_->bytes.data() + offset, count, into.data());
      return count;
    }
    Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
      const auto allowed = disk_.step();
      // A failed write has written a part.
      if (!allowed) bytes = bytes.substr(0, bytes.size() * (disk_.calls_ % 4) / 3);
      if (node_->bytes.size() < offset + bytes.size()) node_->bytes.resize(offset + bytes.size());
      std::copy(bytes.begin(), bytes.end(), node_->bytes.begin() + static_cast<std::ptrdiff_t>(offset));
      return allowed;
    }
    Result<void> sync() override {
      TRY(disk_.step());
      node_->synced = node_->bytes;
      return {};
    }
    Result<void> truncate(std::uint64_t bytes) override {
      TRY(disk_.step());
      node_->bytes.resize(bytes);
      return {};
    }
    Result<FileInfo> info() override {
      TRY(disk_.step());
      FileInfo info;
      info.bytes = node_->bytes.size();
      return info;
    }

   private:
    TestFiles& disk_;
    std::shared_ptr<Node> node_;
  };

  Result<void> step() {
    ++calls_;
    if (failing_ == 0 || calls_ < first_failing_ || calls_ >= first_failing_ + failing_) return {};
    failed_ = true;
    if (calls_ % 2 == 0) return Error{Fault::limit, "no space left on the device (call {})", calls_};
    return Error{Fault::busy, "input/output error (call {})", calls_};
  }

  Tree live_, durable_;
  std::uint64_t calls_ = 0, first_failing_ = 0, failing_ = 0, next_inode_ = 1;
  bool failed_ = false;
};

/// Wall and boot clocks that go on by a millisecond at each look.
class TestClock final : public Clock {
 public:
  std::int64_t wall_ns() override { return wall_ += 1'000'000; }
  std::int64_t boot_ns() override { return boot_ += 1'000'000; }

 private:
  std::int64_t wall_ = 1'700'000'000'000'000'000, boot_ = 0;
};

class TestRandom final : public Random {
 public:
  explicit TestRandom(std::uint64_t seed) : generator_(seed) {}
  void fill(std::span<std::uint8_t> into) override {
    for (auto& byte : into) byte = static_cast<std::uint8_t>(generator_());
  }

 private:
  std::mt19937_64 generator_;
};

}  // namespace enclave::archive
