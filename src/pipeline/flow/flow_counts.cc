#include "pipeline/flow/flow_counts.h"

#include <algorithm>

namespace enclave::pipeline {
namespace {

void add(const FlowWorker::Counts& counts, FlowStatus& status) {
  for (std::size_t i = 0; i < counts.sources.size(); ++i) {
    status.sources[i].events += counts.sources[i].events;
    status.sources[i].busy_ns += counts.sources[i].busy_ns;
  }
  for (std::size_t i = 0; i < counts.packing_ns.size(); ++i) status.outputs[i].busy_ns += counts.packing_ns[i];
  auto& all = status.filters;
  if (all.empty()) {
    all = counts.filters;
    return;
  }
  for (std::size_t i = 0; i < std::min(all.size(), counts.filters.size()); ++i) {
    all[i].in += counts.filters[i].in;
    all[i].succeeded += counts.filters[i].succeeded;
    all[i].dropped += counts.filters[i].dropped;
    all[i].made += counts.filters[i].made;
    all[i].busy_ns += counts.filters[i].busy_ns;
  }
}

}  // namespace

FlowCounts::FlowCounts(const FlowPlan& plan, std::size_t workers, std::int64_t started_wall_ns)
    : outputs_(plan.outputs.size()), workers_(workers) {
  status_.id = plan.id;
  status_.workers = workers;
  status_.started_wall_ns = started_wall_ns;
  for (const auto& source : plan.sources) status_.sources.emplace_back().id = source.id;
  for (const auto& output : plan.outputs) status_.outputs.emplace_back().id = output.id;
}

void FlowCounts::handed_over(std::uint64_t ticket, const FlowWorker::Made& made, std::span<const Parcel> parcels,
                             std::span<const std::unique_ptr<OutputLetters>> letters, std::size_t worker,
                             FlowWorker::Counts& counts) {
  status_.events_in += made.events;
  status_.events_made += made.sent.made;
  status_.events_unrouted += made.sent.unrouted;
  status_.events_out += made.sent.out;
  status_.letters_returned += made.returned_events;
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    auto& output = status_.outputs[i];
    const std::uint64_t kept = letters[i]->kept(), lost = letters[i]->lost();
    const std::uint64_t refused = kept + lost - output.dead_letters - output.dead_letters_lost;
    output.dead_letters = kept;
    output.dead_letters_lost = lost;
    output.events += parcels[i].events;
    output.bytes += parcels[i].bytes.size();
    if (parcels[i].events == 0) continue;
    outputs_[i].waiting.push_back({ticket, parcels[i].events, refused});
    outputs_[i].events += parcels[i].events;
    outputs_[i].letters += refused;
  }
  std::swap(workers_[worker], counts);
}

void FlowCounts::settled(std::size_t output, std::uint64_t ticket) {
  auto& of = outputs_[output];
  while (!of.waiting.empty() && of.waiting.front().ticket <= ticket) {
    of.events -= of.waiting.front().events;
    of.letters -= of.waiting.front().letters;
    of.waiting.pop_front();
  }
}

FlowStatus FlowCounts::status() const {
  FlowStatus status = status_;
  for (const auto& worker : workers_) add(worker, status);
  for (const auto& filter : status.filters) {
    status.events_made += filter.made;
    status.events_dropped += filter.dropped;
  }
  status.dead_letters = status.letters_returned;
  for (std::size_t i = 0; i < status.outputs.size(); ++i) {
    auto& output = status.outputs[i];
    output.waiting = outputs_[i].events - outputs_[i].letters;
    output.delivered = output.events - output.waiting - output.dead_letters - output.dead_letters_lost;
    status.dead_letters += output.dead_letters;
    status.dead_letters_lost += output.dead_letters_lost;
  }
  return status;
}

}  // namespace enclave::pipeline
