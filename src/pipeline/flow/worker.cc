#include "pipeline/flow/worker.h"

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

FlowWorker::FlowWorker(const FlowPlan& plan) : plan_(plan), chain_(plan.chain()), routed_(plan.outputs.size()) {
  for (const auto& source : plan.sources) {
    Maker maker;
    maker.codec = source.codec ? source.codec.make() : std::make_unique<NoCodec>();
    if (source.dressing) maker.dressing = source.dressing();
    if (const auto& rule = source.codec ? source.codec.multiline() : source.multiline) maker.joined_tag = rule->tag;
    makers_.push_back(std::move(maker));
  }
  for (const auto& output : plan.outputs) packers_.push_back(output.output->packer());
}

void FlowWorker::make(std::size_t source, const event::Batch& batch) {
  Maker& maker = makers_[source];
  for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
    const std::size_t before = events_.size();
    plan_.sources[source].source->make(batch, batch.events[i], arena_, *maker.codec, run_, events_);
    for (std::size_t at = before; at < events_.size(); ++at) {
      event::Document& event = events_[at];
      event.reading = i;
      if (event.find(event::kTimeField) == nullptr) event.set_wall_ns(batch.wall_ns);
      if (!maker.joined_tag.empty() && LineJoiner::is_joined(batch.events[i])) event.tag(maker.joined_tag);
      if (maker.dressing) maker.dressing->dress(event, run_);
    }
  }
}

FlowWorker::Made FlowWorker::work(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels) {
  arena_.clear();
  events_.clear();
  for (auto& list : routed_) list.clear();
  run_.now_ns = batch.wall_ns;
  make(source, batch);
  Made made;
  made.events = events_.size();
  chain_->run(source, events_, run_, routed_);
  std::uint64_t reached = 0;
  parcels.resize(packers_.size());
  for (std::size_t i = 0; i < packers_.size(); ++i) {
    parcels[i].clear();
    packers_[i]->pack(batch, routed_[i], run_, parcels[i]);
    reached = std::max<std::uint64_t>(reached, routed_[i].size());
  }
  made.dropped = made.events - std::min(made.events, reached);
  return made;
}

}  // namespace enclave::pipeline
