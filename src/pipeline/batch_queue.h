#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "event/batch.h"

namespace enclave::pipeline {

/// A batch and the input that filled it.
struct Reading {
  std::size_t input = 0;
  std::unique_ptr<event::Batch> batch;
};

/// From the reading stage to the committing one, and back once a batch is durable. Bounded in count and in bytes; when
/// it is full the reader waits. Thread-safe.
class BatchQueue {
 public:
  static constexpr std::size_t kReadingsMax = 6;
  static constexpr std::size_t kBytesMax = 12 * 1024 * 1024;

  bool full() const;
  bool empty() const;
  /// Also counts what was popped and not yet given back.
  bool all_returned() const;
  void push(Reading reading);
  std::optional<Reading> pop();
  void give_back(Reading reading);
  std::optional<Reading> take_back();

 private:
  mutable std::mutex mutex_;
  std::deque<Reading> waiting_, returned_;
  std::size_t bytes_ = 0;  ///< of all that is not given back
  std::size_t out_ = 0;
};

}  // namespace enclave::pipeline
