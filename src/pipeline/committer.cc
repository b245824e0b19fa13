#include "pipeline/committer.h"

#include <algorithm>
#include <limits>

#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kRetryNs = 1'000'000'000;
// A leaf holds 65,535 bytes. Batches are closed, and readings split, so that every one fits.
constexpr std::size_t kLeafBytesDue = 24 * 1024, kFrameSourceBytesMax = 12 * 1024, kLeafBytesMost = 60 * 1024;
constexpr std::string_view kOtherSources = "sources-left-out";
constexpr std::size_t kGroupBytes = 4 * 1024 * 1024;
constexpr std::uint64_t kFramePlainBytesMax = 1ULL << 30;
constexpr const char* kCommitTrouble = "commit";
constexpr const char* kFullTrouble = "spool full";

std::vector<archive::Digest> leaves_of(std::string_view records, std::span<const std::size_t> ends) {
  std::vector<std::string_view> lines(ends.size());
  std::size_t from = 0;
  for (std::size_t i = 0; i < ends.size(); from = ends[i++] + 1) lines[i] = records.substr(from, ends[i] - from);
  std::vector<archive::Digest> leaves(ends.size());
  archive::leaf_hashes(lines, leaves);
  return leaves;
}

/// Worth a line in the leaf; otherwise only the registry is concerned.
bool is_telling(const event::SourceRange& range) { return range.count > 0 || range.lost > 0 || range.from != range.to; }

std::size_t source_bytes(const event::SourceRange& range) {
  return is_telling(range) ? archive::leaf_source_bytes(range.source, range.from, range.to) : 0;
}

std::size_t source_bytes(std::span<const event::SourceRange> ranges) {
  std::size_t bytes = 0;
  for (const auto& range : ranges) bytes += source_bytes(range);
  return bytes;
}

/// Parts of a reading whose sources fit into one leaf each. Events of one source keep their order.
std::vector<event::Batch> split_by_sources(const event::Batch& whole) {
  std::vector<std::uint32_t> part_of(whole.sources.size()), index_in(whole.sources.size());
  std::vector<event::Batch> parts;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < whole.sources.size(); ++i) {
    const auto& range = whole.sources[i];
    const std::size_t more = source_bytes(range);
    if (parts.empty() || bytes + more > kFrameSourceBytesMax) {
      parts.emplace_back();
      parts.back().wall_ns = whole.wall_ns;
      parts.back().boot_ns = whole.boot_ns;
      bytes = 0;
    }
    bytes += more;
    part_of[i] = static_cast<std::uint32_t>(parts.size() - 1);
    index_in[i] = static_cast<std::uint32_t>(parts.back().sources.size());
    parts.back().sources.push_back(range);
  }
  for (event::Event event : whole.events) {
    auto& part = parts[part_of[event.source]];
    event.source = index_in[event.source];
    part.events.push_back(event);
  }
  return parts;
}

}  // namespace

Committer::Committer(World world, const EngineOptions& options, SharedLog& log, Registry& registry, BatchQueue& queue,
                     Ledger& ledger)
    : world_(world), options_(options), log_(log), registry_(registry), queue_(queue), ledger_(ledger) {
  last_leaf_boot_ns_ = world_.clock.boot_ns();
}

Result<void> Committer::recover(const crypto::Secret& spool_key, std::vector<std::string>& notices) {
  const std::uint64_t sealed_seq = log_.log->last_seq();
  next_seq_ = sealed_seq + 1;
  recovered_wall_ns_ = log_.log->last_leaf_wall_ns();
  const Spool::Options options{join_path(options_.state_directory, "spool"), options_.segment_bytes};
  spool_ = TRY(Spool::open(
      world_, options, spool_key, [&](Frame&& frame) { recover_frame(std::move(frame), sealed_seq, notices); },
      notices));
  // A crash may have come between the leaf and the registry: the frames must not go before their positions are kept.
  sealed_seq_ = sealed_seq;
  if (sealed_ordinal_ > 0 && !free_sealed())
    notices.push_back("spool: sealed segments could not be removed; tried again");
  tell();
  return {};
}

void Committer::recover_frame(Frame&& frame, std::uint64_t sealed_seq, std::vector<std::string>& notices) {
  if (frame.count == 0) {
    registry_.apply(frame.sources);
    return defer(frame.sources);
  }
  if (frame.next_seq() - 1 <= sealed_seq) {
    registry_.apply(frame.sources);
    sealed_ordinal_ = frame.ordinal;
    deferred_.clear();
    deferred_bytes_ = 0;
    return;
  }
  // A frame whose sync failed, and which was written again into the next segment.
  if (frame.next_seq() <= next_seq_) return;
  if (frame.first_seq > next_seq_) {
    notices.push_back(fmt::format("records {} to {} were lost with a damaged spool; the log will say so", next_seq_,
                                  frame.first_seq - 1));
    Item gap;
    gap.gap = {next_seq_, frame.first_seq - 1};
    items_.push_back(std::move(gap));
  }
  std::vector<archive::Digest> leaves;
  if (auto records = event::decompress(frame.records, kFramePlainBytesMax)) {
    std::vector<std::size_t> ends;
    for (std::size_t at = records->find('\n'); at != std::string::npos; at = records->find('\n', at + 1))
      ends.push_back(at);
    leaves = leaves_of(*records, ends);
  }
  // The frame was authentic, so it was written like that: a bug, not damage.
  ENSURE(leaves.size() == frame.count);
  registry_.apply(frame.sources);
  next_seq_ = frame.next_seq();
  take(std::move(frame), std::move(leaves));
}

Committer::Item& Committer::open_item(const Frame& frame, std::size_t source_bytes) {
  const bool fits = !items_.empty() && !items_.back().gap && items_.back().boot_id == frame.boot_id &&
                    !is_due(items_.back()) && items_.back().batch.leaf_bytes() + source_bytes <= kLeafBytesMost;
  if (!fits) {
    items_.emplace_back();
    items_.back().boot_id = frame.boot_id;
    items_.back().opened_boot_ns = world_.clock.boot_ns();
  }
  return items_.back();
}

// After a crash the last record number in the log tells what was sealed. A frame without records has none, so what it
// says of a source goes with the next frame that has some.
void Committer::defer(std::span<const event::SourceRange> ranges) {
  for (const auto& range : ranges) {
    if (!is_telling(range)) continue;
    const auto known =
        std::find_if(deferred_.begin(), deferred_.end(), [&](const auto& d) { return d.source == range.source; });
    if (known != deferred_.end()) {
      known->to = range.to;
      known->lost += range.lost;
      continue;
    }
    const std::size_t more = archive::leaf_source_bytes(range.source, range.from, range.to);
    if (deferred_bytes_ + more <= kFrameSourceBytesMax) {
      deferred_bytes_ += more;
      deferred_.push_back(range);
    } else if (deferred_.back().source == kOtherSources) {
      deferred_.back().lost += range.lost;
    } else {
      deferred_.push_back({std::string(kOtherSources), "", "", 0, range.lost, ""});
    }
  }
}

void Committer::take(Frame&& frame, std::vector<archive::Digest> leaves) {
  if (frame.count == 0) return defer(frame.sources);
  std::erase_if(frame.sources, [](const auto& range) { return !is_telling(range); });
  Item& item = open_item(frame, deferred_bytes_ + source_bytes(frame.sources));
  if (!deferred_.empty()) item.batch.add(frame.first_seq, {}, {}, 0, frame.wall_ns, frame.boot_ns, deferred_);
  deferred_.clear();
  deferred_bytes_ = 0;
  item.last_ordinal = frame.ordinal;
  item.batch.add(frame.first_seq, leaves, std::move(frame.records), frame.plain_bytes, frame.wall_ns, frame.boot_ns,
                 frame.sources);
}

bool Committer::is_due(const Item& item) const {
  if (item.gap) return true;
  return item.batch.plain_bytes() >= options_.batch_bytes || item.batch.bytes() >= options_.object_bytes ||
         item.batch.leaf_bytes() >= kLeafBytesDue ||
         world_.clock.boot_ns() - item.opened_boot_ns >= options_.flush_after.count();
}

Result<void> Committer::seal_front() {
  Item& item = items_.front();
  {
    const std::lock_guard lock(log_.mutex);
    if (item.gap) {
      archive::Leaf leaf;
      leaf.kind = archive::LeafKind::gap;
      leaf.seq = item.gap;
      leaf.boot_id = options_.boot_id;
      leaf.boot_ns = world_.clock.boot_ns();
      leaf.time_first_ns = leaf.time_last_ns = world_.clock.wall_ns();
      leaf.reason = "these records were in a part of the spool that was damaged on disk";
      TRY(log_.log->append(std::move(leaf), {}));
    } else {
      archive::Sealer sealer(*log_.log, options_.recipients, item.boot_id, world_.random);
      const std::uint64_t index = log_.log->size();
      const std::int64_t first_wall_ns = item.batch.first_wall_ns();
      TRY(sealer.seal(item.batch));
      sealed_first_wall_.emplace(index, first_wall_ns);
    }
  }
  last_leaf_boot_ns_ = world_.clock.boot_ns();
  const std::uint64_t sealed = item.gap ? item.gap->second : item.batch.last_seq();
  sealed_ordinal_ = std::max(sealed_ordinal_, item.last_ordinal);
  items_.pop_front();
  ledger_.change([&](EngineStatus& status) {
    status.last_sealed_seq = sealed;
    status.last_sealed_wall_ns = world_.clock.wall_ns();
  });
  ledger_.wake(Stage::upload);
  // The leaf stands; what follows only frees space, and is done again with the next one if it fails now.
  sealed_seq_ = sealed;
  return free_sealed();
}

Result<void> Committer::free_sealed() {
  TRY(registry_.save(sealed_seq_));
  return spool_->free_through(sealed_ordinal_);
}

Result<void> Committer::seal_due() {
  // A full spool is sealed at once: only what is sealed can be sent, and only what is sent makes room.
  const bool last_one_too = full_ || (finishing_ && queue_.empty() && in_flight_.empty());
  while (!items_.empty() && (items_.size() > 1 || last_one_too || is_due(items_.front()))) TRY(seal_front());
  return {};
}

void Committer::encode(const event::Batch& batch) {
  Frame frame;
  frame.first_seq = next_seq_;
  frame.count = static_cast<std::uint32_t>(batch.events.size());
  frame.wall_ns = batch.wall_ns;
  frame.boot_ns = batch.boot_ns;
  frame.boot_id = options_.boot_id;
  frame.sources = batch.sources;
  std::vector<archive::Digest> leaves;
  if (!batch.events.empty()) {
    const std::string_view records = writer_.write(batch, next_seq_, options_.boot_id);
    leaves = leaves_of(records, writer_.ends());
    frame.plain_bytes = records.size();
    compressor_.frame(records, frame.records);
  }
  next_seq_ += frame.count;
  staged_leaves_.push_back(std::move(leaves));
  (void)spool_->stage(std::move(frame));
}

/// True when something was committed.
Result<bool> Committer::commit_queue() {
  std::size_t group = 0;
  while (!spool_->has_staged() || group < kGroupBytes) {
    if (!in_flight_.empty() && in_flight_.size() >= BatchQueue::kReadingsMax) break;
    auto reading = queue_.pop();
    if (!reading) break;
    group += reading->batch->bytes();
    if (source_bytes(reading->batch->sources) <= kFrameSourceBytesMax) {
      encode(*reading->batch);
    } else {
      for (const auto& part : split_by_sources(*reading->batch)) encode(part);
    }
    in_flight_.push_back(std::move(*reading));
  }
  if (!spool_->has_staged()) return false;
  auto frames = TRY(spool_->commit());
  std::uint64_t records = 0, lost = 0;
  for (auto& frame : frames) {
    registry_.apply(frame.sources);
    records += frame.count;
    for (const auto& range : frame.sources) lost += range.lost;
    take(std::move(frame), std::move(staged_leaves_.front()));
    staged_leaves_.pop_front();
  }
  for (auto& reading : in_flight_) queue_.give_back(std::move(reading));
  in_flight_.clear();
  ledger_.change([&](EngineStatus& status) {
    status.records_committed += records;
    status.lost += lost;
  });
  ledger_.wake(Stage::read);
  return true;
}

bool Committer::over_limit() const {
  const std::lock_guard lock(log_.mutex);
  const std::uint64_t outbox = log_.log->outbox_bytes();
  // A frame of positions behind the last sealed record keeps its segment until the next record: that one must come in.
  if (items_.empty() && outbox == 0) return false;
  return spool_->bytes() + spool_->staged_bytes() + outbox >= options_.spool_bytes_max;
}

Result<void> Committer::heartbeat() {
  const std::int64_t now = world_.clock.boot_ns();
  if (!items_.empty() || now - last_leaf_boot_ns_ < options_.heartbeat.count()) return {};
  const std::lock_guard lock(log_.mutex);
  archive::Sealer sealer(*log_.log, options_.recipients, options_.boot_id, world_.random);
  TRY(sealer.heartbeat(world_.clock.wall_ns(), now));
  last_leaf_boot_ns_ = now;
  ledger_.wake(Stage::upload);
  return {};
}

void Committer::failed(const Error& error) {
  retry_boot_ns_ = world_.clock.boot_ns() + kRetryNs;
  ledger_.trouble(kCommitTrouble,
                  fmt::format("{}; reading waits, nothing is lost, tried again every second", error.text()));
}

void Committer::tell() {
  std::int64_t oldest = 0;
  for (const auto& item : items_)
    if (oldest == 0 && !item.gap) oldest = item.batch.first_wall_ns();
  // Under the log's lock, so that what the upload tells afterwards is not overwritten with what was true before.
  const std::lock_guard lock(log_.mutex);
  const auto pending = log_.log->pending();
  std::int64_t unsent = oldest;
  if (!pending.empty()) {
    sealed_first_wall_.erase(sealed_first_wall_.begin(), sealed_first_wall_.lower_bound(pending.front().index));
    const auto known = sealed_first_wall_.find(pending.front().index);
    unsent = known == sealed_first_wall_.end() ? recovered_wall_ns_ : known->second;
  } else {
    sealed_first_wall_.clear();
  }
  ledger_.change([&](EngineStatus& status) {
    status.oldest_unsent_wall_ns = unsent;
    status.last_seq = next_seq_ - 1;
    status.spool_bytes = spool_->bytes();
    status.outbox_bytes = log_.log->outbox_bytes();
    status.leaves = log_.log->size();
    status.objects_waiting = pending.size();
    status.oldest_unsealed_wall_ns = oldest;
    status.reading_stopped = retry_boot_ns_ > world_.clock.boot_ns() || full_;
  });
}

Engine::Step Committer::step() {
  if (retry_boot_ns_ > world_.clock.boot_ns()) return Engine::Step::blocked;
  retry_boot_ns_ = 0;
  const auto work = [&]() -> Result<bool> {
    full_ = over_limit();
    TRY(seal_due());
    // With no room, no next batch would come to free what a failure left behind.
    if (full_) TRY(free_sealed());
    // What is staged already goes in: it is in memory and no longer with the input.
    full_ = over_limit();
    if (full_ && !spool_->has_staged()) return false;
    const bool committed = TRY(commit_queue());
    TRY(seal_due());
    TRY(heartbeat());
    return committed;
  };
  const auto worked = work();
  if (!worked) {
    failed(worked.error());
    tell();
    return Engine::Step::blocked;
  }
  ledger_.resolved(kCommitTrouble);
  if (full_) {
    retry_boot_ns_ = world_.clock.boot_ns() + kRetryNs;
    ledger_.trouble(kFullTrouble,
                    fmt::format("{} of unsent log are on disk, as much as spool.bytes_max allows: reading has stopped, "
                                "nothing is dropped; bring the store back or raise spool.bytes_max",
                                format_bytes(options_.spool_bytes_max)));
  } else {
    ledger_.resolved(kFullTrouble);
  }
  tell();
  if (full_) return Engine::Step::blocked;
  if (*worked) return Engine::Step::worked;
  return finishing_ && all_sealed() ? Engine::Step::ended : Engine::Step::idle;
}

std::int64_t Committer::next_boot_ns() const {
  if (retry_boot_ns_ != 0) return retry_boot_ns_;
  if (!items_.empty()) return items_.front().opened_boot_ns + options_.flush_after.count();
  return last_leaf_boot_ns_ + options_.heartbeat.count();
}

bool Committer::all_sealed() const { return items_.empty() && queue_.empty() && in_flight_.empty(); }

}  // namespace enclave::pipeline
