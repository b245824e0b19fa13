#include "pipeline/flow/worker.h"

#include <algorithm>

#include "pipeline/line_joiner.h"

namespace enclave::pipeline {
namespace {

using event::Value;

/// For sources that make whole events: what they are given as a codec is never asked.
class NoCodec final : public Codec {
 public:
  void decode(std::string_view payload, event::Arena& arena, FilterRun& /*run*/,
              std::vector<event::Document>& into) override {
    into.emplace_back(arena).set(event::kMessageField, Value::of(payload));
  }
  void encode(const event::Document& event, FilterRun& /*run*/, std::string& out) override { append_json(event, out); }
};

}  // namespace

FlowWorker::FlowWorker(const FlowPlan& plan, Random& random)
    : plan_(plan), chain_(plan.chain()), routed_(plan.outputs.size()), marks_(LineMarks::make(random)) {
  for (const auto& source : plan.sources) {
    Maker maker;
    maker.codec = source.codec ? source.codec.make() : std::make_unique<NoCodec>();
    if (source.dressing) maker.dressing = source.dressing();
    if (const auto& rule = source.codec ? source.codec.multiline() : source.multiline) maker.joined_tag = rule->tag;
    maker.alike = maker.joined_tag.empty() && source.source->alike(*maker.codec) && chain_->alike() &&
                  (maker.dressing == nullptr || maker.dressing->alike());
    makers_.push_back(std::move(maker));
  }
  for (const auto& output : plan.outputs) packers_.push_back(output.output->packer());
}

void FlowWorker::make(std::size_t source, const event::Batch& batch) {
  for (std::uint32_t i = 0; i < batch.events.size(); ++i) make(source, batch, batch.events[i], i);
}

void FlowWorker::make(std::size_t source, const event::Batch& batch, const event::Event& from, std::uint32_t reading) {
  Maker& maker = makers_[source];
  const std::size_t before = events_.size();
  plan_.sources[source].source->make(batch, from, arena_, *maker.codec, run_, events_);
  for (std::size_t at = before; at < events_.size(); ++at) {
    event::Document& event = events_[at];
    event.reading = reading;
    if (event.find(event::kTimeField) == nullptr) event.set_wall_ns(batch.wall_ns);
    if (!maker.joined_tag.empty() && LineJoiner::is_joined(from)) event.tag(maker.joined_tag);
    if (maker.dressing) maker.dressing->dress(event, run_);
  }
}

FlowWorker::Made FlowWorker::work(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels) {
  run_.now_ns = batch.wall_ns;
  parcels.resize(packers_.size());
  for (auto& parcel : parcels) parcel.clear();
  Made made;
  if (makers_[source].alike && pack_alike(source, batch, parcels, made)) return made;
  made = {};
  for (auto& parcel : parcels) parcel.clear();
  begin();
  make(source, batch);
  made.events = events_.size();
  chain_->run(source, events_, run_, routed_);
  std::uint64_t reached = 0;
  for (std::size_t i = 0; i < packers_.size(); ++i) {
    packers_[i]->pack(batch, routed_[i], run_, parcels[i]);
    reached = std::max<std::uint64_t>(reached, routed_[i].size());
  }
  made.dropped = made.events - std::min(made.events, reached);
  return made;
}

void FlowWorker::begin() {
  arena_.clear();
  events_.clear();
  for (auto& list : routed_) list.clear();
}

bool FlowWorker::pack_alike(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels, Made& made) {
  const std::span<const event::Event> events(batch.events);
  const auto regular = [](const event::Event& event) {
    return event.fields.empty() && event.position.empty() && event.cut_bytes == 0;
  };
  if (!std::ranges::all_of(events, regular)) return false;
  for (std::size_t begin = 0; begin < events.size();) {
    std::size_t end = begin + 1;
    while (end < events.size() && events[end].source == events[begin].source) ++end;
    if (!pack_run(source, batch, events.subspan(begin, end - begin), parcels, made)) return false;
    begin = end;
  }
  return true;
}

/// Events of one file, say. One event is made, with marks; then the others are that one with other lines.
bool FlowWorker::pack_run(std::size_t source, const event::Batch& batch, std::span<const event::Event> run,
                          std::vector<Parcel>& parcels, Made& made) {
  begin();
  event::Event marked = run.front();
  marked.raw = marks_.line;
  marked.offset = static_cast<std::uint64_t>(marks_.offset);
  make(source, batch, marked, 0);
  if (events_.size() != 1 || events_.front().cancelled) return false;
  const event::Document like = events_.front();
  chain_->run(source, events_, run_, routed_);
  bool reached = false;
  for (std::size_t i = 0; i < packers_.size(); ++i) {
    if (routed_[i].size() > 1) return false;
    if (routed_[i].empty()) continue;
    reached = true;
    if (!packers_[i]->pack_alike({like, marks_, run}, run_, parcels[i])) return false;
  }
  made.events += run.size();
  if (!reached) made.dropped += run.size();
  return true;
}

}  // namespace enclave::pipeline
