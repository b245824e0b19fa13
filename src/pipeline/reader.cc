#include "pipeline/reader.h"

#include <algorithm>
#include <limits>

namespace enclave::pipeline {
namespace {
constexpr std::int64_t kRetryNs = 10'000'000'000;
}

Reader::Reader(World world, std::size_t read_bytes, BatchQueue& queue, Ledger& ledger)
    : world_(world), read_bytes_(read_bytes), queue_(queue), ledger_(ledger) {}

void Reader::add(std::string id, std::unique_ptr<Input> input, bool background) {
  Source& source = sources_.emplace_back();
  source.id = std::move(id);
  source.input = std::move(input);
  source.background = background;
}

void Reader::add_later(std::string id, std::unique_ptr<Input> input) {
  const std::lock_guard lock(arriving_mutex_);
  arriving_.emplace_back(std::move(id), std::move(input));
}

void Reader::take_arrivals() {
  const std::lock_guard lock(arriving_mutex_);
  for (auto& [id, input] : arriving_) add(std::move(id), std::move(input));
  arriving_.clear();
}

void Reader::acknowledge() {
  while (auto reading = queue_.take_back()) {
    sources_[reading->input].input->committed(*reading->batch);
    if (reading->light) continue;
    reading->batch->clear();
    if (spare_.size() < BatchQueue::kReadingsMax) spare_.push_back(std::move(reading->batch));
  }
}

bool Reader::read_from(std::size_t index) {
  Source& source = sources_[index];
  if (source.ended) return false;
  if (handing_over_ && (source.kept || source.input->reads_again())) {
    source.ended = true;
    return false;
  }
  if (source.retry_boot_ns > world_.clock.boot_ns() && !finishing_) return false;
  std::unique_ptr<event::Batch> batch;
  if (spare_.empty()) {
    batch = queue_.take_spare();
    if (!batch) batch = std::make_unique<event::Batch>();
  } else {
    batch = std::move(spare_.back());
    spare_.pop_back();
  }
  batch->wall_ns = world_.clock.wall_ns();
  batch->boot_ns = world_.clock.boot_ns();
  auto polled = finishing_ ? source.input->finish(*batch, read_bytes_) : source.input->poll(*batch, read_bytes_);
  source.given->busy_ns += world_.clock.boot_ns() - batch->boot_ns;
  if (polled) {
    ledger_.resolved(source.id);
    source.ended = *polled == Input::Polled::end || (finishing_ && *polled == Input::Polled::idle);
  } else {
    ledger_.trouble(source.id, fmt::format("input {}: {}; tried again every 10 s", source.id, polled.error().text()));
    source.retry_boot_ns = world_.clock.boot_ns() + kRetryNs;
    source.ended = finishing_;
  }
  const bool something = !batch->empty();
  if (something) {
    std::uint64_t bytes = 0;
    for (const auto& event : batch->events) bytes += event.raw.size();
    source.given->events += batch->events.size();
    source.given->bytes += bytes;
    ledger_.change([&](EngineStatus& status) {
      status.records_read += batch->events.size();
      status.bytes_read += bytes;
    });
    queue_.push({index, std::move(batch)});
    ledger_.wake(Stage::commit);
  } else {
    spare_.push_back(std::move(batch));
  }
  return something || (polled && *polled == Input::Polled::more);
}

Engine::Step Reader::step() {
  take_arrivals();
  acknowledge();
  if (queue_.full()) {
    for (const auto& source : sources_) source.input->blocked();
    return Engine::Step::blocked;
  }
  for (std::size_t tried = 0; tried < sources_.size(); ++tried) {
    const std::size_t index = turn_++ % sources_.size();
    if (read_from(index)) return Engine::Step::worked;
  }
  const bool ended = std::all_of(sources_.begin(), sources_.end(),
                                 [](const auto& source) { return source.ended || source.background; });
  return ended ? Engine::Step::ended : Engine::Step::idle;
}

std::vector<int> Reader::descriptors() const {
  std::vector<int> all;
  for (const auto& source : sources_) {
    if (source.ended) continue;
    const auto some = source.input->descriptors();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::int64_t Reader::next_boot_ns() const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const auto& source : sources_)
    if (!source.ended) next = std::min(next, std::max(source.input->next_poll_boot_ns(), source.retry_boot_ns));
  return next;
}

}  // namespace enclave::pipeline
