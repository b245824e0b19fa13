#include "pipeline/batch_queue.h"

#include <algorithm>

namespace enclave::pipeline {

bool BatchQueue::full() const {
  const std::lock_guard lock(mutex_);
  return out_ >= kReadingsMax || bytes_ >= kBytesMax;
}

bool BatchQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

bool BatchQueue::all_returned() const {
  const std::lock_guard lock(mutex_);
  return out_ == 0 && returned_.empty();
}

void BatchQueue::push(Reading reading) {
  const std::lock_guard lock(mutex_);
  bytes_ += reading.batch->bytes();
  ++out_;
  waiting_.push_back(std::move(reading));
}

std::optional<Reading> BatchQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  Reading reading = std::move(waiting_.front());
  waiting_.pop_front();
  return reading;
}

void BatchQueue::give_back(Reading reading) {
  const std::lock_guard lock(mutex_);
  bytes_ -= std::min(bytes_, reading.batch->bytes());
  --out_;
  returned_.push_back(std::move(reading));
}

std::optional<Reading> BatchQueue::take_back() {
  const std::lock_guard lock(mutex_);
  if (returned_.empty()) return std::nullopt;
  Reading reading = std::move(returned_.front());
  returned_.pop_front();
  return reading;
}

}  // namespace enclave::pipeline
