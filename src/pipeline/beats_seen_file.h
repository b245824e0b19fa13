#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "pipeline/beats_seen.h"

/// For beats_seen*.cc.
namespace enclave::pipeline {

/// Of a message or a time, as it stands in the JSON.
std::uint64_t seen_hash(std::string_view text);
std::uint32_t seen_time_hash(std::string_view text);

/// Between two lines of one file there is at most so much that is not sent, such as what a container engine writes
/// before each. What is further away begins a range of its own: it may be of another file of the same name.
inline constexpr std::uint64_t kSeenGapMax = 128;

/// The message of a line, hashed when it is asked for.
class SeenMessage {
 public:
  explicit SeenMessage(std::string_view text) : text_(text) {}
  std::uint32_t first() { return static_cast<std::uint32_t>(hash()); }
  std::uint16_t last() { return static_cast<std::uint16_t>(hash() >> 32); }

 private:
  std::uint64_t hash() {
    if (!done_) hash_ = seen_hash(text_);
    done_ = true;
    return hash_;
  }
  std::string_view text_;
  std::uint64_t hash_ = 0;
  bool done_ = false;
};

struct SeenFileRange : SeenRange {
  std::uint64_t number = 0;   ///< counts up in a file
  std::uint64_t batch = 0;    ///< the last one that holds a line of it; 0: committed before this start
  std::uint64_t stream = 0;   ///< that brought it last
  std::int64_t given_ns = 0;  ///< when
  std::uint32_t chunk = 0, process = 0, content = 0;
};

/// Where one connection stands in a file.
struct SeenCursor {
  std::uint64_t stream = 0, window = 0;
  std::uint64_t before = 0;  ///< offset of the line before
  std::uint64_t end = 0;     ///< of its message, about
  bool fresh = false;        ///< it brought new lines
  bool in_run = false;       ///< it goes through a range that was seen: the one below
  bool at_end = false;       ///< of that range
  bool was_run = false;      ///< the line before was sent again
  bool other_name = false;   ///< the run is of a file that had another name
  bool weak = false;         ///< the run began at offset 0 and may be another file with the same first lines
  std::uint32_t weak_lines = 0;
  std::uint64_t doubt_end = 0;  ///< lines up to this offset may have been seen, and are kept all the same
  SeenRange run;
  std::uint64_t run_batch = 0;
  std::uint32_t run_content = 0;
  std::uint64_t open = 0, open_window = 0;  ///< the range that new lines go to, and the window it is of
  std::uint32_t lines = 0;                  ///< since offset 0
  std::string_view last_message;            ///< of the open range, while its batch is filled

  /// Whether the line is one of the run; else the run is over.
  bool goes_on(const BeatLine& line, SeenMessage& message);
};

/// The ranges stand in the order in which they came.
class SeenFile {
 public:
  using Range = SeenFileRange;
  using Cursor = SeenCursor;

  Cursor& cursor_of(const SeenStream& stream);
  /// A range that begins with this line: the oldest that the same process read at the same time (`exact`), else the
  /// newest.
  Range* find(const BeatLine& line, SeenMessage& message, const SeenStream& stream, const Cursor& cursor, bool& exact);
  /// A range of the latest content in which there is a line at this offset, not its first one.
  Range* around(std::uint64_t offset, SeenMessage& message);
  Range* by_number(std::uint64_t number);
  /// Appends; `range` lacks its number and chunk.
  Range& append(Range range);
  /// Whether nothing is known behind `last` of the same content.
  bool ends_at(std::uint32_t content, std::uint64_t last) const;
  SeenChunk chunk(std::uint32_t number) const;
  void seal(Cursor& cursor);
  bool is_weak() const;
  /// How far the lines reach that were seen of what may be the file that begins with this line; 0: it is another one.
  std::uint64_t known_to(const BeatLine& line, std::uint32_t process) const;

  SeenKey key;
  std::deque<Range> ranges;
  std::vector<Cursor> cursors;
  std::vector<std::uint32_t> changed;  ///< chunks
  std::vector<SeenKey> names;          ///< under which it is known besides
  std::uint64_t next_number = 1;
  std::uint64_t top = 0;          ///< no range reaches further
  std::uint64_t content_top = 0;  ///< none of the latest content
  std::uint64_t seconds = 0;
  std::uint32_t next_chunk = 0, chunk_ranges = 0;
  std::uint32_t content = 0;
  bool certain = false;  ///< the sender tells files of one name apart
  bool gone = false;
};

}  // namespace enclave::pipeline
