#pragma once

#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "pipeline/file_scan.h"
#include "pipeline/file_tails.h"
#include "pipeline/input.h"

namespace enclave::pipeline {

struct FollowOptions {
  std::vector<Glob> paths;
  std::vector<Glob> exclude;
  std::size_t line_bytes_max = 10_MiB;
  Nanoseconds scan_every = std::chrono::seconds(10);
  Nanoseconds ignore_older{0};  ///< 0: none is too old
  bool from_beginning = true;
  bool gzip = true;
  std::size_t open_files_max = 512;
  LineCut cut;
  /// The byte order mark of a file says which UTF-16 it is; `cut` is for files without one.
  bool by_mark = false;
  std::string end_only;  ///< of files with a mark: what ends lines, in UTF-8; empty: LF, or CR LF
};

/// Follows growing files through every way of rotating them, and gives each line out once.
///
/// A file is known by device, inode, birth time and its first bytes, never by its name. Content that moved (renamed,
/// copied away before a truncation, packed) keeps its source and offset. The watcher makes it quick, the periodic scan
/// makes it right. What cannot be known: content of which no scan ever saw a byte, copied or packed under a name that
/// no pattern covers.
class FileFollower final : public Input {
 public:
  FileFollower(FollowOptions options, World world, const Positions& positions, InputLog& log);
  ~FileFollower() override;

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override;
  bool reads_again() const override { return true; }
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override;
  void committed(const event::Batch& /*batch*/) override {}
  std::vector<int> descriptors() const override;
  std::int64_t next_poll_boot_ns() const override;

 private:
  /// What stands in a directory, listed at most once in a scan.
  struct Listing {
    std::vector<DirectoryEntry> entries;
    bool failed = false;  ///< it cannot be told what is there
    bool absent = false;
    std::optional<std::unordered_map<std::uint64_t, std::string>> by_inode;
  };
  using Related = std::unordered_multimap<std::string, Tail*>;

  void begin(event::Batch& batch);
  void end();
  void mark(Tail& tail);

  // Reading: file_follower.cc.
  void read_queue(std::size_t budget);
  void enqueue(Tail& tail);
  void dequeue(Tail& tail);
  std::uint64_t visit(Tail& tail, std::uint64_t share);
  std::uint64_t visit_plain(Tail& tail, std::uint64_t share);
  std::uint64_t visit_packed(Tail& tail, std::uint64_t share);
  Result<void> open_packed(Tail& tail, const FileInfo& info);
  void packed_stopped(Tail& tail, const FileInfo& info);
  void packed_ended(Tail& tail, bool damaged);
  Result<void> read_lines(Tail& tail, Content& content, std::uint64_t share, std::uint64_t end, LinePass& pass);
  const LineCut& cut_of(Tail& tail, Content& content) const;
  void read_rest(Tail& tail);
  std::uint32_t range_index(const Tail& tail) const;
  event::SourceRange& range_of(Tail& tail, std::uint64_t from);
  void record(Tail& tail, std::uint64_t from, const LinePass& pass);
  void failed(Tail& tail, const Error& error);

  // Looking around: file_follower_scan.cc.
  void take_changes();
  void take_change(const Watcher::Change& change);
  void check_unwatched();
  void scan_soon();
  void scan();
  void watch(const std::set<std::string>& directories);
  bool is_watched(std::string_view path) const;
  void meet(Tail& tail, const FoundFile& found);
  void look_at(Tail& tail, const FileInfo& info);
  void locate(Tail& tail);
  void locate_open(Tail& tail);
  void locate_closed(Tail& tail);
  bool find_moved(Tail& tail);
  Listing& listing(const std::string& directory);

  // Deciding what is what: file_follower_match.cc.
  void restore(const Positions& positions);
  void settle(Tail& one, Tail& other);
  Related related() const;
  void verify_queued();
  std::vector<Tail*> candidates(const std::string& path, const Related& related) const;
  void adopt(const FoundFile& found, const Related& related);
  Result<bool> withdraw_copy(Tail& tail);
  Result<void> decide(const FoundFile& found, const Related& related);
  enum class Verdict : std::uint8_t { unrelated, attached, wait };
  Result<Verdict> compare(Tail& tail, const FoundFile& found, bool packed, File& file);
  bool is_fresh(const FileInfo& info) const;
  bool is_older(const FileInfo& info, const Tail& tail) const;
  bool is_reused(Tail& tail, const FileInfo& info, const std::string& path);
  void attach(Tail& tail, const std::string& path, const FileInfo& info, bool packed);
  void start(const FoundFile& found, bool packed, bool perhaps_copy);
  static bool may_have_copy(const Tail& tail, std::string_view name);
  bool continue_orphan(Tail& tail);
  void expire(Tail& tail);
  void forget(Tail& tail);
  void orphan(Tail& tail);
  void begin_anew(Tail& tail);
  Result<bool> is_same_content(Tail& tail, const FileInfo& info);
  std::string new_source(std::string_view path);

  FollowOptions options_;
  const LineCut little_, big_;  ///< of files with a mark
  World world_;
  InputLog& log_;
  ToldTroubles troubles_;
  FileScanner scanner_;
  std::unique_ptr<Watcher> watcher_;
  TailTable tails_;
  std::deque<Tail*> queue_;
  std::deque<Tail*> packed_queue_;  ///< one at a time is unpacked: each needs its own window
  std::set<std::string, std::less<>> watched_;
  std::map<std::string, Listing> listings_;
  std::vector<Tail*> dirty_;
  event::Batch* batch_ = nullptr;  ///< the one that is being filled
  std::vector<Watcher::Change> changes_;
  std::int64_t now_ns_ = 0;
  std::int64_t last_scan_ns_ = 0;
  std::int64_t next_scan_ns_ = 0;
  std::int64_t next_check_ns_ = 0;
  std::uint32_t scans_ = 0;
  std::uint32_t polls_ = 0;
  std::size_t sources_before_ = 0;  ///< ranges in the batch when the poll began
  std::size_t finished_ = 0;        ///< tails that finish() is through with
  std::int64_t open_told_ = 0;
  bool first_start_ = true;
  bool any_forgotten_ = false;
  bool packed_turn_ = false;
  bool any_unwatched_ = false;
};

}  // namespace enclave::pipeline
