#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "event/batch.h"

namespace enclave::pipeline {

/// A batch and the input that filled it.
struct Reading {
  std::size_t input = 0;
  std::unique_ptr<event::Batch> batch;
  bool light = false;  ///< see BatchQueue::make_light
};

/// From the reading stage to the committing one, and back once a batch is durable. Bounded in count and in bytes; when
/// it is full the reader waits. Thread-safe.
class BatchQueue {
 public:
  static constexpr std::size_t kReadingsMax = 6;
  static constexpr std::size_t kBytesMax = 12 * 1024 * 1024;
  static constexpr std::size_t kLightMax = 10'000;

  /// Bounds of what waits or is worked on; readings that were made light count no more here, but among kLightMax.
  explicit BatchQueue(std::size_t readings_max = kReadingsMax, std::size_t bytes_max = kBytesMax)
      : readings_max_(readings_max), bytes_max_(bytes_max) {}

  bool full() const;
  bool empty() const;
  /// Also counts what was popped and not yet given back.
  bool all_returned() const;
  void push(Reading reading);
  std::optional<Reading> pop();
  /// What was popped and is kept only until its positions are acknowledged: the events go, the sources stay.
  void make_light(Reading& reading);
  void give_back(Reading reading);
  std::optional<Reading> take_back();
  /// A cleared batch, for its memory; null when there is none.
  std::unique_ptr<event::Batch> take_spare();

 private:
  mutable std::mutex mutex_;
  std::deque<Reading> waiting_, returned_;
  std::vector<std::unique_ptr<event::Batch>> spare_;
  const std::size_t readings_max_, bytes_max_;
  std::size_t bytes_ = 0;  ///< of all that is not given back
  std::size_t out_ = 0, light_ = 0;
};

}  // namespace enclave::pipeline
