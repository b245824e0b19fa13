#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/flow/dead_letters.h"
#include "pipeline/flow/flow.h"
#include "pipeline/flow/worker.h"

namespace enclave::pipeline {

/// The counters of a flow that have to agree with each other (FlowStatus). Not thread-safe.
class FlowCounts {
 public:
  FlowCounts(const FlowPlan& plan, std::size_t workers, std::int64_t started_wall_ns);

  /// A batch was handed to the outputs; `letters` of each output, as they are now. `worker` gives what it counted up to
  /// this batch, and gets memory for the next time.
  void handed_over(std::uint64_t ticket, const FlowWorker::Made& made, std::span<const Parcel> parcels,
                   std::span<const std::unique_ptr<OutputLetters>> letters, std::size_t worker,
                   FlowWorker::Counts& counts);
  /// All tickets up to this one are safe with that output.
  void settled(std::size_t output, std::uint64_t ticket);

  FlowStatus status() const;

 private:
  struct Waiting {
    std::uint64_t ticket = 0, events = 0, letters = 0;
  };
  struct OfOutput {
    std::deque<Waiting> waiting;
    std::uint64_t events = 0;   ///< of waiting
    std::uint64_t letters = 0;  ///< the same
  };
  FlowStatus status_;  ///< without what workers counted
  std::vector<OfOutput> outputs_;
  std::vector<FlowWorker::Counts> workers_;
};

}  // namespace enclave::pipeline
