#include "pipeline/batch_queue.h"

#include <algorithm>

namespace enclave::pipeline {

bool BatchQueue::full() const {
  const std::lock_guard lock(mutex_);
  return out_ - light_ >= readings_max_ || bytes_ >= bytes_max_ || light_ >= kLightMax;
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

void BatchQueue::make_light(Reading& reading) {
  auto light = std::make_unique<event::Batch>();
  light->sources = std::move(reading.batch->sources);
  light->wall_ns = reading.batch->wall_ns;
  light->boot_ns = reading.batch->boot_ns;
  light.swap(reading.batch);
  const std::size_t bytes = light->bytes();
  light->clear();
  const std::lock_guard lock(mutex_);
  reading.light = true;
  ++light_;
  bytes_ -= std::min(bytes_, bytes);
  if (spare_.size() < readings_max_) spare_.push_back(std::move(light));
}

std::unique_ptr<event::Batch> BatchQueue::take_spare() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) return nullptr;
  auto batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void BatchQueue::give_back(Reading reading) {
  const std::lock_guard lock(mutex_);
  if (reading.light) {
    --light_;
  } else {
    bytes_ -= std::min(bytes_, reading.batch->bytes());
  }
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
