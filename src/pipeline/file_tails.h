#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/file_content.h"
#include "pipeline/file_lines.h"
#include "pipeline/file_state.h"

namespace enclave::pipeline {

/// One source of the file input: a file that is followed, or what is remembered of one that is gone.
struct Tail {
  std::string source;
  FileState state;  ///< its offset and sum are those of `cursor` when it is written
  LineCursor cursor;
  std::unique_ptr<File> file;  ///< null: closed, to be opened when there is something to read
  std::unique_ptr<GzipContent> unpacker;
  std::list<Tail*>::iterator place;  ///< among the open ones, while `file` is there

  const LineCut* cut = nullptr;  ///< as the mark at its front has it; null: not looked at

  std::uint64_t stored_bytes = kUnknown;  ///< size on disk when last looked at
  std::int64_t gone_since_ns = 0;         ///< boot time since when it has no name; 0: it has one
  std::int64_t stuck_since_ns = 0;        ///< boot time since when a packed file ends too early
  std::uint64_t lost = 0;                 ///< to be told with the next range
  std::uint32_t scan = 0;                 ///< number of the scan that met it last
  std::uint32_t poll = 0;                 ///< number of the poll in which `range` is valid
  std::uint32_t range = 0;                ///< index into Batch::sources
  bool queued = false;                    ///< waits to be read
  bool at_end = false;                    ///< all that was there when last looked at was read
  bool dirty = false;                     ///< the registry must be told
  bool deleted = false;                   ///< no name is left, only our handle
  bool unwatched = false;                 ///< changes are not reported
  bool restored = false;                  ///< known from an earlier run, not yet met in this one
  bool perhaps_copy = false;              ///< was empty when met beside a related file: its first bytes will tell
  bool forgotten = false;                 ///< goes at the end of the poll

  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};
  bool is_orphan() const { return state.id.inode == 0; }
};

/// All tails, by identity and by path, and the bounded set of their open files.
class TailTable {
 public:
  TailTable(Files& files, std::size_t open_max) : files_(files), open_max_(open_max) {}

  Tail& add(std::unique_ptr<Tail> tail);
  /// Null when there is none. A file system whose device number is another one since the last boot is recognised.
  Tail* by_id(const FileId& id);
  Tail* by_path(const std::string& path);
  /// Other identity, other path: the indices follow.
  void identify(Tail& tail, const FileId& id);
  void move(Tail& tail, const std::string& path);
  /// Removes those that are `forgotten`.
  void sweep();

  /// Opens the file at the tail's path, unless it is open. Fault::conflict when another file stands there now. Closes
  /// the ones that were idle longest when there are too many.
  Result<void> open(Tail& tail);
  void close(Tail& tail);
  void touch(Tail& tail);

  const std::vector<std::unique_ptr<Tail>>& all() const { return tails_; }
  std::size_t open_count() const { return open_.size(); }

 private:
  bool close_idlest();
  void unindex_id(Tail& tail);
  void index_path(Tail& tail);
  void unindex_path(Tail& tail);

  Files& files_;
  const std::size_t open_max_;
  std::vector<std::unique_ptr<Tail>> tails_;
  std::unordered_multimap<std::uint64_t, Tail*> by_inode_;
  std::unordered_map<std::string_view, Tail*> by_path_;  ///< keys are the tails' own paths
  std::list<Tail*> open_;                                ///< used longest ago first
};

}  // namespace enclave::pipeline
