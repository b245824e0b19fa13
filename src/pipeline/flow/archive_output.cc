#include "pipeline/flow/archive_output.h"

#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>

#include "io/host.h"
#include "pipeline/flow/event_fields.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kBytesMax = 16 << 20;
constexpr auto kLookEvery = std::chrono::milliseconds(50);
constexpr auto kNap = std::chrono::milliseconds(10);

/// What both sides hold.
struct Channel {
  explicit Channel(io::Waiter given) : wake(std::move(given)) {}
  struct Handed {
    std::uint64_t ticket = 0;
    std::unique_ptr<event::Batch> batch;
  };
  io::Waiter wake;
  std::mutex mutex;
  std::condition_variable room;
  std::deque<Handed> waiting;
  std::deque<std::uint64_t> taken;  ///< tickets that the engine has and did not commit yet
  std::size_t bytes = 0;            ///< of waiting
  std::uint64_t delivered = 0;
  bool closed = false;
};

class ArchivePacker final : public Packer {
 public:
  void pack(const event::Batch& batch, std::span<const event::Document> events, FilterRun& run, Parcel& into) override {
    if (!into.batch) begin(batch, into);
    event::Batch& out = *into.batch;
    for (const auto& document : events) {
      event::Event event = batch.events[document.reading];
      event.raw = out.store(event.raw);
      event.position = out.store(event.position);
      event.fields = out.store(event_fields(batch.events[document.reading], document, run.scratch));
      ++out.sources[event.source].count;
      out.events.push_back(event);
    }
    into.events += events.size();
  }

 private:
  static void begin(const event::Batch& batch, Parcel& into) {
    into.batch = std::make_unique<event::Batch>();
    into.batch->wall_ns = batch.wall_ns;
    into.batch->boot_ns = batch.boot_ns;
    into.batch->sources = batch.sources;
    for (auto& range : into.batch->sources) range.count = 0;
    into.batch->events.reserve(batch.events.size());
  }
};

class ArchiveOutput final : public Output {
 public:
  explicit ArchiveOutput(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  Result<void> open(const OutputSetup& setup) override {
    stopping_ = &setup.stopping;
    return {};
  }
  std::unique_ptr<Packer> packer() const override { return std::make_unique<ArchivePacker>(); }

  Result<void> deliver(Parcel& parcel, std::uint64_t ticket) override {
    std::unique_lock lock(channel_->mutex);
    while (channel_->bytes > kBytesMax) {
      if (*stopping_) return Error{Fault::busy, "the archive takes no more"};
      channel_->room.wait_for(lock, kLookEvery);
    }
    channel_->bytes += parcel.batch->bytes();
    channel_->waiting.push_back({ticket, std::move(parcel.batch)});
    channel_->delivered = ticket;
    lock.unlock();
    channel_->wake.wake();
    return {};
  }

  Result<std::uint64_t> settle(bool /*wait*/) override {
    const std::lock_guard lock(channel_->mutex);
    if (!channel_->taken.empty()) return channel_->taken.front() - 1;
    if (!channel_->waiting.empty()) return channel_->waiting.front().ticket - 1;
    return channel_->delivered;
  }

 private:
  std::shared_ptr<Channel> channel_;
  const std::atomic<bool>* stopping_ = nullptr;
};

class ArchiveInput final : public Input {
 public:
  explicit ArchiveInput(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  Result<Polled> poll(event::Batch& batch, std::size_t /*budget*/) override { return take(batch); }

  Result<Polled> finish(event::Batch& batch, std::size_t /*budget*/) override {
    const Polled polled = take(batch);
    if (polled != Polled::idle) return polled;
    // The flow still reads. It ends by itself; until then the engine has to wait for it.
    (void)channel_->wake.wait({}, kNap);
    return Polled::more;
  }

  void committed(const event::Batch& /*batch*/) override {
    const std::lock_guard lock(channel_->mutex);
    channel_->taken.pop_front();
  }

  std::vector<int> descriptors() const override { return {channel_->wake.descriptor()}; }
  std::int64_t next_poll_boot_ns() const override { return std::numeric_limits<std::int64_t>::max(); }

 private:
  Polled take(event::Batch& batch) {
    (void)channel_->wake.wait({}, Nanoseconds(0));
    const std::lock_guard lock(channel_->mutex);
    if (channel_->waiting.empty()) return channel_->closed ? Polled::end : Polled::idle;
    auto handed = std::move(channel_->waiting.front());
    channel_->waiting.pop_front();
    channel_->bytes -= std::min(channel_->bytes, handed.batch->bytes());
    channel_->room.notify_one();
    // Without sources the engine never hears of it, and there is nothing to commit.
    if (!handed.batch->empty()) channel_->taken.push_back(handed.ticket);
    batch = std::move(*handed.batch);
    return Polled::more;
  }

  std::shared_ptr<Channel> channel_;
};

class Handoff final : public ArchiveHandoff {
 public:
  explicit Handoff(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

  std::unique_ptr<Input> input() override { return std::make_unique<ArchiveInput>(channel_); }
  std::unique_ptr<Output> output() override {
    ENSURE(idle());
    const std::lock_guard lock(channel_->mutex);
    channel_->delivered = 0;  // each flow counts its tickets anew
    return std::make_unique<ArchiveOutput>(channel_);
  }
  bool idle() const override {
    const std::lock_guard lock(channel_->mutex);
    return channel_->waiting.empty() && channel_->taken.empty();
  }
  void close() override {
    {
      const std::lock_guard lock(channel_->mutex);
      channel_->closed = true;
    }
    channel_->wake.wake();
  }
  bool closed() const override {
    const std::lock_guard lock(channel_->mutex);
    return channel_->closed;
  }

 private:
  std::shared_ptr<Channel> channel_;
};

}  // namespace

Result<std::unique_ptr<ArchiveHandoff>> ArchiveHandoff::make() {
  auto wake = TRY(io::Waiter::make());
  return std::unique_ptr<ArchiveHandoff>(std::make_unique<Handoff>(std::make_shared<Channel>(std::move(wake))));
}

}  // namespace enclave::pipeline
