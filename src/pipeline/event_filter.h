#pragma once

#include "event/batch.h"

namespace enclave::pipeline {

/// What stands between reading and the spool. One thread at a time calls it.
class EventFilter {
 public:
  virtual ~EventFilter() = default;
  /// May change the events' fields, leave events out and add some; never what a line was (`raw`) or where it came from.
  /// The counts of the batch's sources follow. Returns how many events were left out.
  virtual std::uint64_t apply(event::Batch& batch) = 0;
};

}  // namespace enclave::pipeline
