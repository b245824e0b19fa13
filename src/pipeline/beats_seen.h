#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/batch.h"
#include "pipeline/beats_line.h"
#include "pipeline/beats_seen_state.h"
#include "pipeline/input.h"

/// Tells lines that a Beat sends again from new ones (docs/formats/lumberjack.md, "Sent again").
namespace enclave::pipeline {

/// What is known of one file of one sender (beats_seen_file.h).
class SeenFile;
struct SeenCursor;
struct SeenFileRange;
class SeenMessage;

/// One connection, as BeatsSeen sees it.
struct SeenStream {
  std::uint64_t id = 0;             ///< never used again
  std::uint64_t scope = 0;          ///< BeatsSeen::scope_of() its address or certificate
  std::uint64_t window = 1;         ///< counts its windows
  std::uint64_t needs = 0;          ///< the latest batch that holds what it sent again
  std::uint32_t process = 0;        ///< of the line before
  SeenKey key;                      ///< the same
  std::shared_ptr<SeenFile> file;   ///< of the line before
  std::shared_ptr<SeenFile> other;  ///< what it was taken for until that was refuted
  std::shared_ptr<SeenFile> maybe;  ///< what the file `maybe_key` is taken for until that is told
  SeenKey maybe_key;
};

enum class Seen : std::uint8_t {
  fresh,    ///< new
  again,    ///< sent again: it was given out in batch SeenStream::needs or before
  held,     ///< it cannot be told yet: the caller keeps it
  proven,   ///< sent again, and so was what is held of this file
  refuted,  ///< new, and so is what is held of this file: all of it, this line last, is now told by add()
};

/// One thread. What it knows stands in the registry under hashes, and reaches it with the batches that hold the lines.
class BeatsSeen {
 public:
  BeatsSeen(World world, const Positions& positions, std::uint64_t port, InputLog& log);

  static std::uint64_t scope_of(std::string_view name);

  /// `line` is the next one of this connection; when it is new it stands in batch `batch`, where its views point to.
  Seen look(SeenStream& stream, const BeatLine& line, std::uint64_t batch);
  /// A line that was held, and is new; or is kept because its window ended before it could be told (`unsure`).
  void add(SeenStream& stream, const BeatLine& line, std::uint64_t batch, bool unsure);
  /// A window ended while lines of this file are held: whether they are taken for lines that were sent again.
  static bool believes(const SeenStream& stream, SeenFile& file);

  /// Before a batch is given out: what changed becomes positions of it.
  void flush(event::Batch& batch);
  /// Now and then. `is_open`: of a connection; `committed`: the last batch that is durable.
  void tick(const std::function<bool(std::uint64_t)>& is_open, std::uint64_t committed);

  std::size_t files() const { return files_.size(); }
  std::size_t ranges() const { return ranges_; }

 private:
  static constexpr std::size_t kFilesMax = 16'384, kRangesMax = 131'072;
  struct Hash {
    std::size_t operator()(const SeenKey& key) const { return key.file[0] ^ key.scope; }
  };
  struct Aging {
    std::int64_t given_ns = 0;
    std::shared_ptr<SeenFile> file;
    std::uint64_t number = 0;
  };

  /// A file of this sender that begins with this line and has another name.
  SeenFileRange* elsewhere(SeenStream& stream, const SeenFile& file, const BeatLine& line, SeenMessage& message);
  Seen taken(SeenStream& stream, SeenCursor& cursor, Seen seen);
  static Seen refuted(SeenStream& stream, SeenCursor& cursor);
  SeenFile* file_of(SeenStream& stream, const BeatLine& line);
  Seen begin_run(SeenStream& stream, const SeenFile& file, SeenCursor& cursor, SeenFileRange& range, bool exact);
  void remember_start(SeenStream& stream, SeenFile& file, const SeenCursor& cursor, const BeatLine& line);
  static Seen covered(const SeenFile& file, SeenCursor& cursor);
  std::uint64_t append(SeenFile& file, SeenFileRange range, const SeenStream& stream);
  void admit(SeenStream& stream, SeenFile& file, const BeatLine& line, std::uint64_t batch);
  void load(const Positions& positions);
  void changed(SeenFile& file, std::uint32_t chunk);
  void forget_front(SeenFile& file, std::size_t ranges);
  void erase(SeenFile& file);
  void keep_bounds();

  World world_;
  InputLog& log_;
  const std::uint64_t port_;
  std::unordered_map<SeenKey, std::shared_ptr<SeenFile>, Hash> files_;
  std::vector<std::shared_ptr<SeenFile>> changed_;
  std::deque<Aging> aging_;
  std::deque<std::weak_ptr<SeenFile>> latest_;  ///< that were begun
  std::vector<std::string> forgotten_;          ///< sources that nothing stands under any more
  std::int64_t forgotten_ns_ = 0;               ///< since when the oldest of them waits
  std::size_t ranges_ = 0;
  std::string scratch_;
};

}  // namespace enclave::pipeline
