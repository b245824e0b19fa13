#include "pipeline/flow/pending.h"

#include <algorithm>
#include <limits>

namespace enclave::pipeline {

void PendingReadings::taken(std::uint64_t ticket, std::size_t source, const LineJoiner* joiner) {
  auto& of = of_source_[source];
  of.entries.push_back({ticket, joiner == nullptr ? ticket : 0, std::nullopt});
  source_of_.emplace_back(ticket, source);
  ++size_;
  if (joiner != nullptr) release(source, ticket, *joiner);
}

void PendingReadings::flushed(std::uint64_t ticket, std::size_t source, const LineJoiner& joiner) {
  release(source, ticket, joiner);
}

void PendingReadings::release(std::size_t source, std::uint64_t ticket, const LineJoiner& joiner) {
  auto& of = of_source_[source];
  const std::uint64_t held = joiner.oldest_held();
  const std::uint64_t free_before = held == 0 ? std::numeric_limits<std::uint64_t>::max() : held;
  std::uint64_t number = of.first;
  for (Entry& entry : of.entries)
    if (number++ < free_before && entry.needs == 0) entry.needs = ticket;
}

void PendingReadings::delivered(std::uint64_t ticket, Reading reading) {
  const auto known = std::ranges::find(source_of_, ticket, &std::pair<std::uint64_t, std::size_t>::first);
  if (known == source_of_.end()) return;  // lines that were held: their readings are here already
  auto& of = of_source_[known->second];
  source_of_.erase(known);
  const auto entry = std::ranges::find(of.entries, ticket, &Entry::ticket);
  entry->reading = std::move(reading);
}

std::vector<Reading> PendingReadings::take_safe(std::uint64_t settled) {
  std::vector<Reading> safe;
  for (auto& of : of_source_) {
    while (!of.entries.empty()) {
      Entry& entry = of.entries.front();
      if (!entry.reading || entry.needs == 0 || entry.needs > settled) break;
      safe.push_back(std::move(*entry.reading));
      of.entries.pop_front();
      ++of.first;
      --size_;
    }
  }
  return safe;
}

}  // namespace enclave::pipeline
