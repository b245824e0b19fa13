#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "event/arena.h"

namespace enclave::event {

/// What ended a line. Its text is not part of `raw`.
enum class Eol : std::uint8_t {
  lf,
  crlf,
  none,  ///< the input ended without one (or the line was cut there)
};

/// Something that happened, as an input saw it. Views point into the Batch.
struct Event {
  std::string_view raw;         ///< the line verbatim: any bytes
  std::string_view fields;      ///< JSON members without braces ("\"journal\":{…}"), or empty
  std::string_view position;    ///< where in the source; empty: `offset` is the position
  std::uint64_t offset = 0;     ///< byte offset of the line's first byte
  std::uint64_t cut_bytes = 0;  ///< how many bytes of the line were left out because of its length
  std::uint32_t source = 0;     ///< index into Batch::sources
  Eol eol = Eol::lf;
  bool padded = false;  ///< behind `raw` there are Batch::kPadding bytes more that can be read
};

/// What a batch took from one source. `from` and `to` are positions: where reading stood before the first and after
/// the last event. One batch's `to` is the next one's `from`, unless something was lost.
struct SourceRange {
  std::string source;  ///< stable name without white space, such as file:/var/log/auth.log@1f3a9c02
  std::string from;
  std::string to;
  std::uint64_t count = 0;
  std::uint64_t lost = 0;  ///< bytes (files) or records that can never be read any more
  /// What the input wants to be given at its next start; kept by the registry under `source`. Empty: forget the source.
  std::string state;
  bool operator==(const SourceRange&) const = default;
};

/// Events of one reading, with the memory that they point into and the positions to acknowledge once they are durable.
/// Order of events is the order of reading. Movable; events stay valid.
class Batch {
 public:
  static constexpr std::size_t kPadding = 64;

  std::vector<Event> events;
  std::vector<SourceRange> sources;
  std::int64_t wall_ns = 0;  ///< when it was read
  std::int64_t boot_ns = 0;

  /// Writable memory that lives as long as the batch.
  std::span<char> allocate(std::size_t bytes) { return arena_.allocate_text(bytes); }
  std::string_view store(std::string_view bytes) { return arena_.store(bytes); }
  /// The same, with memory behind it for readers that take whole blocks.
  std::string_view store_padded(std::string_view bytes) {
    const auto room = arena_.allocate_text(bytes.size() + kPadding);
    std::copy(bytes.begin(), bytes.end(), room.begin());
    arena_.shrink_last(kPadding);
    return {room.data(), bytes.size()};
  }
  /// Gives back the unused end of the latest allocate().
  void shrink_last(std::size_t unused) { arena_.shrink_last(unused); }

  /// Index of the range of this source; a new one begins at `from`. The latest range is looked at first.
  std::uint32_t source(std::string_view name, std::string_view from);
  /// Memory in use, for the bounds of queues.
  std::size_t bytes() const { return arena_.bytes() + events.size() * sizeof(Event); }
  bool empty() const { return events.empty() && sources.empty(); }
  /// Forgets events and sources, keeps the memory.
  void clear();

 private:
  Arena arena_;
};

}  // namespace enclave::event
