#include "pipeline/uploader.h"

#include <algorithm>
#include <limits>

#include "base/encoding.h"

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kFirstDelayNs = 500'000'000, kDelayNsMax = 60'000'000'000;
// While objects keep coming, a checkpoint is published this often; it is published at once when nothing waits.
constexpr std::int64_t kPublishNs = 10'000'000'000;
constexpr std::uint64_t kLogFileBytesMax = 64ULL << 20;
constexpr const char* kStoreTrouble = "store";

}  // namespace

ArchiveOutput::ArchiveOutput(World world, SharedLog& log, cloud::ObjectStore& store, Ledger& ledger)
    : world_(world), log_(log), store_(store), ledger_(ledger) {}

bool ArchiveOutput::everything_sent() const {
  const std::lock_guard lock(log_.mutex);
  return log_.log->pending().empty() && log_.log->published_size() == log_.log->size();
}

Result<void> ArchiveOutput::put_once(const std::string& key, std::string_view bytes) {
  auto put = store_.put_if_absent(key, bytes);
  if (put || put.error().fault() != Fault::conflict) return put ? Result<void>{} : Result<void>(put.error());
  // There already: sent before a crash or a lost answer, or written by somebody else.
  const auto there = store_.get(key, "", kLogFileBytesMax);
  // An identity that may only put cannot look. A version of ours on top costs space and settles it: the verifier sees
  // every version, and names one that holds something else.
  if (!there && there.error().fault() == Fault::denied) {
    auto again = store_.put(key, bytes);
    return again ? Result<void>{} : Result<void>(again.error());
  }
  if (!there && there.error().fault() != Fault::limit) return there.error();
  if (there && *there == bytes) return {};
  return Error{Fault::conflict, "{} holds another {}", store_.name(), key};
}

Result<void> ArchiveOutput::fork(std::string_view what) {
  const std::lock_guard lock(log_.mutex);
  const std::string old = log_.log->origin();
  TRY(log_.log->fork(what));
  const std::string origin = log_.log->origin(), anchor = log_.log->trust_anchor();
  ledger_.change([&](EngineStatus& status) {
    status.origin = origin;
    status.trust_anchor = anchor;
    status.notices.push_back(
        fmt::format("{}: another history of {} is in the bucket (a cloned machine, or an old copy of this "
                    "disk); this machine goes on as {}, whose key is {}",
                    what, old, origin, anchor));
  });
  return {};
}

Result<void> ArchiveOutput::send_object(const archive::Log::Pending& pending) {
  std::string bytes, path;
  {
    const std::lock_guard lock(log_.mutex);
    path = log_.log->whole_pending(pending.index);
  }
  if (path.empty() || !store_.adopt(pending.key, path)) {
    {
      const std::lock_guard lock(log_.mutex);
      bytes = TRY(log_.log->read_pending(pending.index));
    }
    TRY(put_once(pending.key, bytes));
  }
  const std::lock_guard lock(log_.mutex);
  TRY(log_.log->sent(pending.index));
  // The committer tells the rest; it may have ended before the last object was sent.
  const std::size_t waiting = log_.log->pending().size();
  ledger_.change([&](EngineStatus& status) {
    status.last_sent_wall_ns = world_.clock.wall_ns();
    status.objects_waiting = waiting;
    status.outbox_bytes = log_.log->outbox_bytes();
    if (waiting == 0) status.oldest_unsent_wall_ns = status.oldest_unsealed_wall_ns;
  });
  return {};
}

/// False when this size can no longer be signed: the next larger one can.
Result<bool> ArchiveOutput::publish(std::uint64_t size) {
  std::vector<archive::LogFile> tiles;
  archive::LogFile checkpoint;
  {
    const std::lock_guard lock(log_.mutex);
    auto signed_one = log_.log->checkpoint(size);
    if (!signed_one) {
      if (size < log_.log->size()) return false;
      return signed_one.error();
    }
    checkpoint = std::move(*signed_one);
    tiles = TRY(log_.log->tiles_to_publish(size));
  }
  for (const auto& tile : tiles) TRY(put_once(tile.key, tile.bytes));
  TRY(store_.put(checkpoint.key, checkpoint.bytes));
  const std::lock_guard lock(log_.mutex);
  TRY(log_.log->published(size));
  published_boot_ns_ = world_.clock.boot_ns();
  ledger_.change([&](EngineStatus& status) { status.published_leaves = size; });
  return true;
}

Result<bool> ArchiveOutput::send_next() {
  std::vector<archive::Log::Pending> pending;
  std::uint64_t size, published;
  {
    const std::lock_guard lock(log_.mutex);
    pending = log_.log->pending();
    size = log_.log->size();
    published = log_.log->published_size();
  }
  const std::uint64_t complete = pending.empty() ? size : pending.front().index;
  const bool due = pending.empty() || world_.clock.boot_ns() - published_boot_ns_ >= kPublishNs;
  if (complete > published && due && TRY(publish(complete))) return true;
  if (pending.empty()) return false;
  TRY(send_object(pending.front()));
  ledger_.wake(Stage::commit);
  return true;
}

Engine::Step ArchiveOutput::step() {
  if (delay_ns_ > 0 && retry_boot_ns_ > world_.clock.boot_ns()) return Engine::Step::blocked;
  auto sent = send_next();
  if (!sent && sent.error().fault() == Fault::conflict)
    if (auto forked = fork(sent.error().text()); forked) sent = true;
  if (sent) {
    delay_ns_ = 0;
    retry_boot_ns_ = std::numeric_limits<std::int64_t>::max();
    ledger_.resolved(kStoreTrouble);
    ledger_.change([](EngineStatus& status) { status.store_refuses = false; });
    if (*sent) retry_boot_ns_ = 0;
    return *sent ? Engine::Step::worked : Engine::Step::idle;
  }
  const Fault fault = sent.error().fault();
  ledger_.change([&](EngineStatus& status) { status.store_refuses = fault != Fault::busy; });
  // Full jitter, so that a thousand hosts do not come back at the same moment.
  delay_ns_ = std::clamp(delay_ns_ * 2, kFirstDelayNs, kDelayNsMax);
  std::array<std::uint8_t, 4> dice;
  world_.random.fill(dice);
  const std::int64_t share = (dice[0] << 8 | dice[1]) + 1;
  retry_boot_ns_ = world_.clock.boot_ns() + delay_ns_ / 2 + delay_ns_ / 2 * share / 65536;
  ledger_.trouble(kStoreTrouble, fmt::format("{}; what is sealed waits on disk and is sent when the store {}",
                                             sent.error().text(), fault == Fault::busy ? "answers" : "takes it"));
  return Engine::Step::blocked;
}

}  // namespace enclave::pipeline
