#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "pipeline/batch_queue.h"
#include "pipeline/line_joiner.h"
#include "pipeline/output.h"

namespace enclave::pipeline {

/// Which readings are delivered, and which of them may be acknowledged. Not thread-safe.
///
/// A reading whose lines a joiner held back is acknowledged with the one in which the last of them were given out.
class PendingReadings {
 public:
  explicit PendingReadings(std::size_t sources) : of_source_(sources) {}

  /// A reading became work with this ticket. `joiner` is what its source has; null: none.
  void taken(std::uint64_t ticket, std::size_t source, const LineJoiner* joiner);
  /// Held lines became work of their own.
  void flushed(std::uint64_t ticket, std::size_t source, const LineJoiner& joiner);
  /// Its data went to every output; what is left of it is kept here.
  void delivered(std::uint64_t ticket, Reading reading);
  /// Removes and gives back the readings that are safe when all tickets up to `settled` are, each source's in order.
  std::vector<Reading> take_safe(std::uint64_t settled);
  std::size_t size() const { return size_; }

 private:
  struct Entry {
    std::uint64_t ticket = 0;
    std::uint64_t needs = 0;  ///< the ticket that must be safe; 0: lines of it are still held
    std::optional<Reading> reading;
  };
  void release(std::size_t source, std::uint64_t ticket, const LineJoiner& joiner);

  struct OfSource {
    std::deque<Entry> entries;
    std::uint64_t first = 1;  ///< number of entries[0], as the joiner counts
  };
  std::vector<OfSource> of_source_;
  std::deque<std::pair<std::uint64_t, std::size_t>> source_of_;  ///< of tickets that were not delivered yet
  std::size_t size_ = 0;
};

}  // namespace enclave::pipeline
