#include <limits>

#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"

namespace enclave::pipeline {
namespace {

using event::Value;

constexpr std::int64_t kSecond = 1'000'000'000;

struct Beat {
  std::string message;
  std::int64_t interval_ns = 60 * kSecond;
  std::uint64_t count = 0;  ///< 0: no end
};

/// One event each interval, the first at once. What was missed while nobody read is not made up for.
class HeartbeatInput final : public Input {
 public:
  HeartbeatInput(const Beat& beat, World world)
      : beat_(beat), world_(world), source_(name_once("heartbeat", world.random)), next_ns_(world.clock.boot_ns()) {}

  Result<Polled> poll(event::Batch& batch, std::size_t /*budget*/) override {
    const std::int64_t now = world_.clock.boot_ns();
    if (ended()) return Polled::end;
    if (now < next_ns_) return Polled::idle;
    const std::uint32_t source = batch.source(source_, std::to_string(given_));
    event::Event& event = batch.events.emplace_back();
    event.raw = beat_.message;
    event.offset = ++given_;
    event.source = source;
    event.eol = event::Eol::none;
    ++batch.sources[source].count;
    batch.sources[source].to = std::to_string(given_);
    next_ns_ = std::max(next_ns_ + beat_.interval_ns, now);
    return ended() ? Polled::end : Polled::idle;
  }
  Result<Polled> finish(event::Batch& /*batch*/, std::size_t /*budget*/) override { return Polled::end; }
  void committed(const event::Batch& /*batch*/) override {}
  std::vector<int> descriptors() const override { return {}; }
  std::int64_t next_poll_boot_ns() const override { return next_ns_; }

 private:
  bool ended() const { return beat_.count > 0 && given_ >= beat_.count; }

  const Beat& beat_;
  World world_;
  const std::string source_;
  std::int64_t next_ns_;
  std::uint64_t given_ = 0;
};

enum class Sequence : std::uint8_t { none, epoch, sequence };

class Heartbeat final : public Source {
 public:
  Heartbeat(Beat beat, Sequence sequence, bool has_message, bool ecs, std::string host)
      : beat_(std::move(beat)),
        sequence_(sequence),
        has_message_(has_message),
        host_field_(ecs ? "[host][name]" : "host"),
        sequence_field_(ecs ? "[event][sequence]" : "clock"),
        host_(std::move(host)) {}

  Result<std::unique_ptr<Input>> open(const SourceSetup& setup) override {
    return std::unique_ptr<Input>(std::make_unique<HeartbeatInput>(beat_, setup.world));
  }
  /// The original does not ask its codec either.
  void make(const event::Batch& batch, const event::Event& from, event::Arena& arena, Codec& /*codec*/,
            FilterRun& /*run*/, std::vector<event::Document>& into) const override {
    describe(batch, from, into.emplace_back(arena));
  }
  void describe(const event::Batch& batch, const event::Event& from, event::Document& into) const override {
    if (has_message_) into.set(event::kMessageField, Value::of(from.raw));
    host_field_.fill(into, Value::of(host_));
    if (sequence_ == Sequence::epoch) sequence_field_.put(into, Value::of(batch.wall_ns / kSecond));
    if (sequence_ == Sequence::sequence) sequence_field_.put(into, Value::of(static_cast<std::int64_t>(from.offset)));
  }

 private:
  const Beat beat_;
  const Sequence sequence_;
  const bool has_message_;
  const KnownField host_field_, sequence_field_;
  const std::string host_;
};

std::unique_ptr<Source> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kWords[] = {"none", "epoch", "sequence"};
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const bool ecs = reads_ecs(options, world);
  Beat beat;
  beat.message = options.text("message", "ok");
  beat.interval_ns = options.number("interval", 60, 1, kMost) * kSecond;
  const std::int64_t count = options.number("count", -1, -1, kMost);
  beat.count = count > 0 ? static_cast<std::uint64_t>(count) : 0;
  const std::int64_t threads = options.number("threads", 1, 1, 1000);
  if (threads > 1) options.warning("threads", "one thread is enough: an interval has one event");
  const bool word = beat.message == "epoch" || beat.message == "sequence";
  std::string chosen = options.choice("sequence", kWords, "none");
  // Before there was `sequence`, the message said it.
  if (!options.has("sequence") && !ecs && word) chosen = beat.message;
  if (word)
    options.warning("message", "write sequence => \"" + beat.message +
                                   "\"; as a message it means that only "
                                   "with ecs_compatibility disabled");
  const Sequence sequence = chosen == "epoch"      ? Sequence::epoch
                            : chosen == "sequence" ? Sequence::sequence
                                                   : Sequence::none;
  if (options.failed()) return nullptr;
  return std::make_unique<Heartbeat>(std::move(beat), sequence, sequence == Sequence::none || !word, ecs,
                                     host_name(world.files));
}

}  // namespace

extern const SourcePlugin source_heartbeat;
const SourcePlugin source_heartbeat = {"heartbeat", "One event each interval, as a sign of life.", "plain", make};

}  // namespace enclave::pipeline
