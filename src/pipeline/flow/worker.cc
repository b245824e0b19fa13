#include "pipeline/flow/worker.h"

#include <algorithm>

#include "base/time.h"
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

/// The output that refused it, also when its plugin stands on another line now; their number when it is not there.
std::size_t output_of(const FlowPlan& plan, const Letter& letter) {
  const auto& all = plan.outputs;
  const auto same = std::ranges::find(all, letter.output, &FlowOutput::id);
  if (same != all.end()) return static_cast<std::size_t>(same - all.begin());
  const auto is_kind = [kind = letter.plugin + " at "](const FlowOutput& each) { return each.id.starts_with(kind); };
  if (letter.plugin.empty() || std::ranges::count_if(all, is_kind) != 1) return all.size();
  return static_cast<std::size_t>(std::ranges::find_if(all, is_kind) - all.begin());
}

}  // namespace

FlowWorker::FlowWorker(const FlowPlan& plan, World& world)
    : plan_(plan),
      clock_(world.clock),
      chain_(plan.chain()),
      routed_(plan.outputs.size()),
      marks_(LineMarks::make(world.random)) {
  chain_->measure(clock_);
  counts_.sources.resize(plan.sources.size());
  counts_.packing_ns.resize(plan.outputs.size());
  for (const auto& source : plan.sources) {
    Maker maker;
    maker.codec = source.codec ? source.codec.make() : std::make_unique<NoCodec>();
    if (source.dressing) maker.dressing = source.dressing();
    if (const auto& rule = source.codec ? source.codec.multiline() : source.multiline) maker.joined_tag = rule->tag;
    maker.made_alike = maker.joined_tag.empty() && source.source->alike(*maker.codec) &&
                       (maker.dressing == nullptr || maker.dressing->alike());
    maker.alike = maker.made_alike && chain_->alike();
    makers_.push_back(std::move(maker));
  }
  for (const auto& output : plan.outputs) packers_.push_back(output.output->packer());
}

FlowWorker::Counts FlowWorker::counts() const {
  Counts counts = counts_;
  counts.filters = chain_->counts();
  return counts;
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

/// Whether nothing is to be said of it but its line and its offset.
static bool is_regular(const event::Event& event) {
  return event.fields.empty() && event.position.empty() && event.cut_bytes == 0;
}

/// The one event of such a reading, with the marks in place of line and offset; null when it is not just one. Stands at
/// the end of events_.
const event::Document* FlowWorker::make_marked(std::size_t source, const event::Batch& batch, const event::Event& from,
                                               std::uint32_t reading) {
  const std::size_t before = events_.size();
  event::Event marked = from;
  marked.raw = marks_.line;
  marked.offset = static_cast<std::uint64_t>(marks_.offset);
  make(source, batch, marked, reading);
  return events_.size() == before + 1 && !events_.back().cancelled ? &events_.back() : nullptr;
}

/// What makes the events of this source; null when there is no such thing, or it would not pay.
const EventStamp* FlowWorker::stamp_for(std::size_t source, const event::Batch& batch, std::size_t reading) {
  constexpr std::size_t kRun = 4;
  const auto& event = batch.events[reading];
  if (!makers_[source].made_alike || !is_regular(event)) return nullptr;
  if (stamp_source_ == event.source) return stamp_ ? &*stamp_ : nullptr;
  if (reading + kRun > batch.events.size() || batch.events[reading + kRun - 1].source != event.source) return nullptr;
  const std::size_t before = events_.size();
  const event::Document* const like = make_marked(source, batch, event, 0);
  stamp_ = like == nullptr ? std::nullopt : EventStamp::make(*like, marks_, stamps_);
  stamp_source_ = event.source;
  events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(before), events_.end());
  return stamp_ ? &*stamp_ : nullptr;
}

void FlowWorker::make_slice(std::size_t source, const event::Batch& batch, std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t at = from; at < to; ++at) {
    const EventStamp* const stamp = stamp_for(source, batch, at);
    if (stamp == nullptr) {
      make(source, batch, batch.events[at], at);
    } else {
      events_.push_back(stamp->stamp(batch.events[at], arena_));
      events_.back().reading = at;
    }
  }
}

FlowWorker::Made FlowWorker::work(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels) {
  run_.now_ns = batch.wall_ns;
  forget_stamp();
  parcels.resize(packers_.size());
  for (auto& parcel : parcels) parcel.clear();
  Made made;
  if (plan_.sources[source].letters) {
    pack_letters(batch, parcels, made);
    counts_.sources[source].events += made.events;
    return made;
  }
  const bool alike = makers_[source].alike, done = alike && pack_alike(source, batch, parcels, made);
  if (alike && !done) {
    made = {};
    end(parcels);
    for (auto& parcel : parcels) parcel.clear();
  }
  if (!done) pack_slices(source, batch, parcels, made);
  end(parcels);
  counts_.sources[source].events += made.events;
  return made;
}

void FlowWorker::end(std::vector<Parcel>& parcels) {
  for (std::size_t i = 0; i < packers_.size(); ++i) {
    const std::int64_t begun = clock_.boot_ns();
    packers_[i]->end(parcels[i]);
    counts_.packing_ns[i] += clock_.boot_ns() - begun;
  }
}

/// A batch comes to some mebibytes of events. They are made, filtered and packed by so many that they stay in the
/// processor's cache.
void FlowWorker::pack_slices(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels, Made& made) {
  constexpr std::uint32_t kSlice = 128;
  const auto all = static_cast<std::uint32_t>(batch.events.size());
  std::uint32_t next = 0;
  do {
    begin();
    std::int64_t begun = clock_.boot_ns();
    const std::uint32_t end = std::min(all, next + kSlice);
    make_slice(source, batch, next, end);
    next = end;
    counts_.sources[source].busy_ns += clock_.boot_ns() - begun;
    const std::uint64_t events = events_.size();
    made.sent += chain_->run(source, events_, run_, routed_);
    begun = clock_.boot_ns();
    for (std::size_t i = 0; i < packers_.size(); ++i) {
      packers_[i]->pack(batch, routed_[i], run_, parcels[i]);
      const std::int64_t ended = clock_.boot_ns();
      counts_.packing_ns[i] += ended - begun;
      begun = ended;
    }
    made.events += events;
  } while (next < all);
}

void FlowWorker::begin() {
  // Of many sources in one batch.
  constexpr std::size_t kStampBytes = 256 << 10;
  if (stamps_.bytes() > kStampBytes) forget_stamp();
  arena_.clear();
  events_.clear();
  for (auto& list : routed_) list.clear();
}

void FlowWorker::forget_stamp() {
  stamp_.reset();
  stamp_source_.reset();
  stamps_.clear();
}

bool FlowWorker::pack_alike(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels, Made& made) {
  const std::span<const event::Event> events(batch.events);
  if (!std::ranges::all_of(events, is_regular)) return false;
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
  const event::Document* const made_one = make_marked(source, batch, run.front(), 0);
  if (made_one == nullptr) return false;
  const event::Document like = *made_one;
  (void)chain_->run(source, events_, run_, routed_);
  bool reached = false;
  for (std::size_t i = 0; i < packers_.size(); ++i) {
    if (routed_[i].size() > 1) return false;
    if (routed_[i].empty()) continue;
    reached = true;
    const std::int64_t begun = clock_.boot_ns();
    if (!packers_[i]->pack_alike({like, marks_, run}, run_, parcels[i])) return false;
    counts_.packing_ns[i] += clock_.boot_ns() - begun;
  }
  made.events += run.size();
  (reached ? made.sent.out : made.sent.unrouted) += run.size();
  return true;
}

void FlowWorker::pack_letters(const event::Batch& batch, std::vector<Parcel>& parcels, Made& made) {
  begin();
  // The archive takes note of positions, and some packers prepare their parcels.
  for (std::size_t i = 0; i < packers_.size(); ++i) packers_[i]->pack(batch, {}, run_, parcels[i]);
  end(parcels);
  for (const auto& line : batch.events) {
    auto letter = parse_letter(line.raw);
    if (!letter) letter = Letter{run_.now_ns, {}, {}, letter.error().text(), {}, std::string(line.raw), 1, false};
    made.events += letter->events;
    const auto output = letter->output.empty() ? plan_.outputs.size() : output_of(plan_, *letter);
    if (output < parcels.size() && put_back(output, *letter, batch, parcels[output])) {
      made.sent.out += letter->events;
      continue;
    }
    if (!letter->output.empty())
      letter->reason = fmt::format("{} is no output now that could send it again; {}", letter->output, letter->reason);
    made.returned_events += letter->events;
    made.returned.push_back(std::move(*letter));
  }
}

/// As it was, or made anew from the event. False: neither goes.
bool FlowWorker::put_back(std::size_t output, const Letter& letter, const event::Batch& batch, Parcel& into) {
  if (plan_.outputs[output].last) return false;
  if (!letter.anew &&
      plan_.outputs[output].output->put_back({letter.reason, letter.event, letter.to, letter.events}, into))
    return true;
  const auto root = run_.json.read(arena_.store(letter.event), arena_);
  if (!root || !root->is(event::Kind::map)) return false;
  const event::Document document(arena_, *root);
  if (Value* const time = document.find(event::kTimeField); time != nullptr && time->is(event::Kind::text))
    *time = Value::time(parse_time(time->text()).value_or(letter.wall_ns));
  Parcel made;
  packers_[output]->pack(batch, std::span(&document, 1), run_, made);
  packers_[output]->end(made);
  into.append(made);
  return true;
}

}  // namespace enclave::pipeline
