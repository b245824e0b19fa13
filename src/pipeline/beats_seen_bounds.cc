#include <algorithm>
#include <map>

#include "pipeline/beats_seen_file.h"

/// What is kept for how long, and how it reaches the registry.
namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Long after a sender has heard of it and has written that down, and before it is disconnected for its silence.
constexpr std::int64_t kSettledNs = 30 * kSecond;
constexpr std::int64_t kForgetNs = 5 * kSecond;

}  // namespace

void BeatsSeen::changed(SeenFile& file, std::uint32_t chunk) {
  if (!file.changed.empty() && file.changed.back() == chunk) return;
  if (file.changed.empty()) changed_.push_back(files_.at(file.key));
  if (std::ranges::find(file.changed, chunk) == file.changed.end()) file.changed.push_back(chunk);
}

void BeatsSeen::forget_front(SeenFile& file, std::size_t ranges) {
  ranges = std::min(ranges, file.ranges.size());
  for (std::size_t i = 0; i < ranges; ++i) {
    changed(file, file.ranges.front().chunk);
    file.ranges.pop_front();
  }
  ranges_ -= ranges;
}

void BeatsSeen::erase(SeenFile& file) {
  if (file.gone) return;
  const std::int64_t now = world_.clock.boot_ns();
  if (forgotten_.empty()) forgotten_ns_ = now;
  std::vector<std::uint32_t> chunks = file.changed;
  for (const auto& range : file.ranges) chunks.push_back(range.chunk);
  std::ranges::sort(chunks);
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  for (const auto chunk : chunks) forgotten_.push_back(seen_source(port_, file.key, chunk));
  ranges_ -= file.ranges.size();
  file.ranges.clear();
  file.gone = true;
  std::erase_if(changed_, [&](const auto& one) { return one.get() == &file; });
  for (const SeenKey& name : file.names)
    if (const auto found = files_.find(name); found != files_.end() && found->second.get() == &file)
      files_.erase(found);
  const auto keep = files_.extract(file.key);
}

void BeatsSeen::flush(event::Batch& batch) {
  const auto put = [&](std::string source, std::string state) {
    event::SourceRange& range = batch.sources.emplace_back();
    range.source = std::move(source);
    range.state = std::move(state);
  };
  // A file that is seen again after it was forgotten stands under the same names.
  const bool due = !batch.empty() || !changed_.empty() || world_.clock.boot_ns() - forgotten_ns_ > kForgetNs;
  if (due && !forgotten_.empty()) {
    for (auto& source : forgotten_) put(std::move(source), "");
    forgotten_.clear();
  }
  const auto seconds = static_cast<std::uint64_t>(world_.clock.wall_ns() / kSecond);
  for (const auto& file : changed_) {
    if (file->gone) continue;
    file->seconds = seconds;
    for (auto& cursor : file->cursors) file->seal(cursor);
    for (const auto number : file->changed) {
      const SeenChunk chunk = file->chunk(number);
      put(seen_source(port_, file->key, number), chunk.ranges.empty() ? "" : format_seen(chunk));
    }
    file->changed.clear();
  }
  changed_.clear();
}

void BeatsSeen::tick(const std::function<bool(std::uint64_t)>& is_open, std::uint64_t committed) {
  const std::int64_t now = world_.clock.boot_ns();
  while (!aging_.empty() && now - aging_.front().given_ns >= kSettledNs) {
    Aging oldest = std::move(aging_.front());
    aging_.pop_front();
    SeenFile& file = *oldest.file;
    const auto* const range = file.gone ? nullptr : file.by_number(oldest.number);
    if (range == nullptr) continue;
    if (range->given_ns != oldest.given_ns) {
      aging_.push_back({range->given_ns, oldest.file, oldest.number});
      continue;
    }
    // Its connection has lived on: the sender knows that it arrived, and of all that it sent before.
    if (!is_open(range->stream) || range->batch > committed) continue;
    forget_front(file, static_cast<std::size_t>(range - &file.ranges.front()) + 1);
    if (file.ranges.empty() && !file.is_weak()) erase(file);
  }
  keep_bounds();
}

/// Beyond a bound the one that has most of all gives, so that a sender with many names takes nothing from others.
void BeatsSeen::keep_bounds() {
  while (files_.size() > kFilesMax || ranges_ > kRangesMax) {
    std::map<std::uint64_t, std::size_t> weights;
    for (const auto& [key, file] : files_) weights[key.scope] += 8 + file->ranges.size();
    const auto heaviest = std::ranges::max_element(weights, {}, [](const auto& one) { return one.second; });
    std::vector<std::shared_ptr<SeenFile>> of_it;
    for (const auto& [key, file] : files_)
      if (key.scope == heaviest->first) of_it.push_back(file);
    std::ranges::sort(of_it, {}, [](const auto& file) { return file->seconds; });
    const std::size_t half = of_it.size() / 2 + 1;
    for (std::size_t i = 0; i < std::min(half, of_it.size()); ++i) erase(*of_it[i]);
    log_.count("resend_states_dropped", static_cast<std::int64_t>(std::min(half, of_it.size())));
  }
}

}  // namespace enclave::pipeline
