#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "sim/random.h"

namespace enclave::sim {

/// What an application wrote and the disk may not have yet. A regular file keeps its synced bytes and the writes since;
/// a directory its synced names and the changes since.
class Inode {
 public:
  using Pointer = std::shared_ptr<Inode>;
  using Names = std::map<std::string, Pointer>;
  /// One change of a directory, all or nothing: a null pointer is a name that went.
  struct NameChange {
    std::vector<std::pair<std::string, Pointer>> edits;
    std::uint64_t move = 0;  ///< the two halves of a rename between directories share a number, 0: none
  };

  Inode(FileId id, FileKind kind) : id_(id), kind_(kind) {}

  const FileId& id() const { return id_; }
  FileKind kind() const { return kind_; }

  // A regular file.
  const std::string& content() const { return content_; }
  void write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t bytes);
  void sync_content();
  /// A sync that failed: what was dirty will never be written, and nobody is told again. What programs read is from
  /// then on either still the new bytes (`evicted` false: they stay in memory) or the old ones.
  void drop_dirty(bool evicted);
  /// Some of the writes reach the disk: none, all, a prefix or any subset; the last of them may be torn within, and
  /// then its 512-byte sectors are each new, old, zero or garbage.
  void lose_power_content(SimRandom& random);
  bool dirty() const { return !writes_.empty(); }

  // A directory.
  const Names& names() const { return names_; }
  void change(NameChange change);
  /// The first `count` changes are on the disk.
  void sync_names(std::size_t count);
  const std::vector<NameChange>& unsynced_names() const { return changes_; }
  /// Only the first `count` changes were.
  void lose_power_names(std::size_t count);

  std::string target;  ///< of a symbolic link
  std::int64_t modified_ns = 0;
  std::uint32_t mode = 0600;
  std::uint64_t links = 0;
  std::uint64_t handles = 0;

 private:
  struct Write {
    bool truncation = false;
    std::uint64_t offset = 0;  ///< of a truncation: the new size
    std::string bytes;
  };
  static void apply(const Write& write, std::string& to);
  static void apply_torn(const Write& write, SimRandom& random, std::string& to);
  static void apply(const NameChange& change, Names& to);

  FileId id_;
  FileKind kind_;
  std::string content_;
  std::string synced_content_;
  std::vector<Write> writes_;
  Names names_;
  Names synced_names_;
  std::vector<NameChange> changes_;
};

}  // namespace enclave::sim
