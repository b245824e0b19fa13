#include "pipeline/flow/flow.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include "base/files.h"
#include "io/thread_name.h"
#include "pipeline/flow/dead_letters.h"
#include "pipeline/flow/flow_counts.h"
#include "pipeline/flow/letter_source.h"
#include "pipeline/flow/letter_taking.h"
#include "pipeline/flow/pending.h"
#include "pipeline/flow/plugin_log.h"
#include "pipeline/flow/worker.h"
#include "pipeline/ledger.h"
#include "pipeline/reader.h"

namespace enclave::pipeline {
namespace {

using Step = Engine::Step;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr auto kSettleEvery = std::chrono::milliseconds(200);
constexpr auto kLookEvery = std::chrono::milliseconds(50);
constexpr std::uint64_t kUnsettledBytes = 64 << 20;
constexpr std::size_t kQueueBytes = 16 << 20;
constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

struct Work {
  std::uint64_t ticket = 0;
  Reading reading;
  std::vector<Parcel> parcels;
};

class RealFlow final : public Flow {
 public:
  RealFlow(FlowPlan plan, FlowOptions options, std::size_t workers, io::Waiter wake)
      : plan_(std::move(plan)),
        options_(std::move(options)),
        world_(options_.world),
        workers_(workers),
        wake_(std::move(wake)),
        queue_(workers + 4, kQueueBytes),
        reader_(world_, options_.read_bytes, queue_, ledger_),
        handing_ns_(plan_.outputs.size()),
        pending_(plan_.sources.size()),
        joiners_(plan_.sources.size()),
        settled_(plan_.outputs.size()),
        counts_(plan_, workers, world_.clock.wall_ns()) {
    for (std::size_t i = 0; i < plan_.sources.size(); ++i) {
      source_logs_.push_back(std::make_unique<PluginLog>(ledger_));
      grounds_.push_back(std::make_unique<SourceGround>());
    }
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i) output_logs_.push_back(std::make_unique<PluginLog>(ledger_));
    if (options_.tell) ledger_.on_trouble(options_.tell);
  }

  ~RealFlow() override {
    // Outputs hold what stands below them here, and some finish their work now.
    plan_.outputs.clear();
    plan_.sources.clear();
  }

  Result<void> open() {
    TRY(make_directories(world_.files, options_.state_directory));
    if (options_.positions == nullptr) TRY(open_registry());
    const Positions& positions = options_.positions == nullptr ? *registry_ : *options_.positions;
    TRY(finish_taking(world_.files, options_.state_directory));
    dead_letters_ = TRY(open_dead_letters(world_, options_.state_directory, ledger_, plan_.dead_letter_bytes_max));
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
      auto& output = plan_.outputs[i];
      const std::string kept = join_path(options_.state_directory, "outputs");
      letters_.push_back(std::make_unique<OutputLetters>(*dead_letters_, output.id, world_.clock, *output_logs_[i]));
      TRY(output.output->open({world_, *output_logs_[i], give_up_, *letters_[i], output.id, kept}));
    }
    std::vector<std::unique_ptr<Input>> inputs(plan_.sources.size());
    for (std::size_t i = 0; i < plan_.sources.size(); ++i) {
      auto& source = plan_.sources[i];
      if (const auto& rule = source.codec ? source.codec.multiline() : source.multiline) {
        TRY(LineJoiner::check(*rule));
        joiners_[i] = std::make_unique<LineJoiner>(*rule, world_, *source_logs_[i]);
      }
      if (options_.estate != nullptr && options_.estate->has(source.recipe)) continue;
      SourceGround& ground = *grounds_[i];
      ground.log.move_to(*source_logs_[i]);
      ground.positions.move_to(positions);
      ground.made_from = options_.made_from;
      auto input = source.source->open({world_, ground.positions, ground.log});
      if (!input) return std::move(input).error().within(fmt::format("the input {}", source.id));
      inputs[i] = std::move(*input);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == nullptr) inputs[i] = TRY(inherit(i, positions));
      reader_.add(plan_.sources[i].id, std::move(inputs[i]), plan_.sources[i].letters);
    }
    return {};
  }

  std::unique_ptr<FlowEstate> estate() override {
    auto estate = std::make_unique<FlowEstate>();
    if (pending_.size() > 0 || aborted_) return estate;
    for (std::size_t i = 0; i < plan_.sources.size(); ++i)
      if (auto input = reader_.take_kept(i))
        estate->add(
            {plan_.sources[i].recipe, std::move(plan_.sources[i].source), std::move(grounds_[i]), std::move(input)});
    return estate;
  }

  Result<FlowEnd> run() override {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { settle_for_ever(); });
    working_ = workers_;
    for (std::size_t i = 0; i < workers_; ++i) threads.emplace_back([this, i] { work(i); });
    read();
    {
      const std::lock_guard lock(mutex_);
      reading_ended_ = true;
    }
    turn_.notify_all();
    wait_for_workers();
    for (std::size_t i = 1; i < threads.size(); ++i) threads[i].join();
    finish_settling();
    threads[0].join();
    // Everything has been read; the sources only hear what became of the last of it.
    (void)reader_.step();
    if (registry_) (void)save_positions();
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    return pending_.size() == 0 && !aborted_ ? FlowEnd::all_delivered : FlowEnd::rest_left;
  }

  void stop() override {
    stop_ = true;
    wake_.wake();
  }

  void hand_over(std::vector<std::string> kept) override {
    kept_ = std::move(kept);
    handing_over_ = true;
    stop();
  }

  FlowStatus status() const override {
    EngineStatus told = ledger_.status();
    FlowStatus status;
    {
      const std::lock_guard lock(mutex_);
      status = counts_.status();
      status.batches_waiting = pending_.size();
    }
    status.bytes_in = told.bytes_read;
    status.counters = std::move(told.counters);
    status.troubles = std::move(told.troubles);
    for (std::size_t i = 0; i < status.sources.size(); ++i) {
      auto& source = status.sources[i];
      const auto& given = reader_.given(i);
      source.readings = given.events;
      source.bytes = given.bytes;
      source.busy_ns += given.busy_ns;
      source.counters = source_logs_[i]->counters();
    }
    for (std::size_t i = 0; i < status.outputs.size(); ++i) {
      status.outputs[i].busy_ns += handing_ns_[i];
      status.outputs[i].counters = output_logs_[i]->counters();
    }
    status.dead_letter_bytes = dead_letters_->bytes();
    // Nobody asked for this input: it is shown when there is something to see.
    if (status.sources.back().readings == 0) status.sources.pop_back();
    return status;
  }

 private:
  /// The source comes along: what was opened may refer to it, and two of one recipe are the same.
  Result<std::unique_ptr<Input>> inherit(std::size_t index, const Positions& positions) {
    FlowSource& source = plan_.sources[index];
    auto heirloom = options_.estate->take(source.recipe);
    if (!heirloom) return Error{Fault::invalid, "the input {} stands there twice", source.id};
    source.source = std::move(heirloom->source);
    grounds_[index] = std::move(heirloom->ground);
    grounds_[index]->log.move_to(*source_logs_[index]);
    grounds_[index]->positions.move_to(positions);
    return std::move(heirloom->input);
  }

  Result<void> open_registry() {
    std::vector<std::string> notices;
    const std::string path = join_path(options_.state_directory, "positions");
    const bool fresh = !world_.files.info(path).has_value();
    registry_ = std::make_unique<Registry>(world_.files, path, notices);
    TRY(registry_->readable());
    if (options_.tell)
      for (const auto& notice : notices) options_.tell(notice, false);
    if (fresh && !options_.imported.empty()) {
      registry_->apply(options_.imported);
      TRY(registry_->save(0));
    }
    return {};
  }

  bool stopping() const { return stop_.load(std::memory_order_relaxed) || failed_.load(std::memory_order_relaxed); }

  // --- the reading thread

  void read() {
    bool finishing = false;
    std::int64_t ending_boot_ns = 0;
    for (;;) {
      if (!finishing && stopping()) finishing = begin_end(ending_boot_ns);
      const Step step = reader_.step();
      if (step == Step::worked) {
        turn_.notify_one();
        continue;
      }
      if (step == Step::ended) return;
      if (step == Step::idle && options_.once && !finishing) {
        finishing = begin_end(ending_boot_ns);
        continue;
      }
      if (finishing && world_.clock.boot_ns() - ending_boot_ns > patience_ns() && step == Step::blocked) {
        give_up_ = true;
        return;
      }
      if (step == Step::blocked) settle_soon();
      const auto descriptors = step == Step::blocked ? std::vector<int>{} : reader_.descriptors();
      (void)wake_.wait(descriptors, step == Step::blocked ? Nanoseconds(kSecond) : until(reader_.next_boot_ns()));
    }
  }

  bool begin_end(std::int64_t& ending_boot_ns) {
    if (handing_over_) {
      reader_.hand_over();
      for (std::size_t i = 0; i < plan_.sources.size(); ++i)
        if (std::ranges::find(kept_, plan_.sources[i].recipe) != kept_.end()) reader_.keep(i);
    } else {
      reader_.finish();
    }
    ending_boot_ns = world_.clock.boot_ns();
    return true;
  }

  std::int64_t patience_ns() const { return (stop_ ? options_.stop_patience : options_.once_patience).count(); }

  Nanoseconds until(std::int64_t boot_ns) const {
    if (boot_ns == std::numeric_limits<std::int64_t>::max()) return std::chrono::hours(1);
    return Nanoseconds(std::clamp<std::int64_t>(boot_ns - world_.clock.boot_ns(), 0, kSecond));
  }

  // --- the workers

  void work(std::size_t index) {
    io::name_this_thread("worker " + plan_.id);
    work_on(index);
    const std::lock_guard lock(mutex_);
    --working_;
    delivered_.notify_all();
  }

  void work_on(std::size_t index) {
    FlowWorker worker(plan_, world_);
    Work work;
    while (take(work)) {
      const auto made = worker.work(work.reading.input, *work.reading.batch, work.parcels);
      auto counts = worker.counts();
      if (!deliver(work, made, index, counts)) break;
    }
  }

  /// An output that is away must not keep the end waiting for ever.
  void wait_for_workers() {
    std::unique_lock lock(mutex_);
    std::int64_t moved_boot_ns = world_.clock.boot_ns();
    std::uint64_t seen = delivered_ticket_;
    while (working_ > 0) {
      delivered_.wait_for(lock, kLookEvery);
      const std::int64_t now = world_.clock.boot_ns();
      if (seen != delivered_ticket_) moved_boot_ns = now;
      seen = delivered_ticket_;
      if (now - moved_boot_ns > patience_ns()) give_up_ = true;
    }
  }

  /// The next reading, or lines that a joiner held back for too long. False: there will be none.
  bool take(Work& work) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (aborted_) return false;
      if (auto reading = queue_.pop()) {
        work.ticket = ++last_ticket_;
        work.reading = std::move(*reading);
        const auto& joiner = joiners_[work.reading.input];
        if (joiner) (void)joiner->apply(*work.reading.batch);
        pending_.taken(work.ticket, work.reading.input, joiner.get());
        return true;
      }
      if (take_held(work)) return true;
      if (reading_ended_ && queue_.empty()) return false;
      turn_.wait_for(lock, kLookEvery);
    }
  }

  bool take_held(Work& work) {
    for (std::size_t i = 0; i < joiners_.size(); ++i) {
      LineJoiner* const joiner = joiners_[i].get();
      if (joiner == nullptr || !joiner->holding()) continue;
      if (!reading_ended_ && joiner->next_boot_ns() > world_.clock.boot_ns()) continue;
      auto batch = std::make_unique<event::Batch>();
      batch->wall_ns = world_.clock.wall_ns();
      batch->boot_ns = world_.clock.boot_ns();
      joiner->flush(*batch, reading_ended_);
      if (batch->events.empty()) continue;
      work.ticket = ++last_ticket_;
      work.reading = {i, std::move(batch), true};
      pending_.flushed(work.ticket, i, *joiner);
      return true;
    }
    return false;
  }

  /// In the order of the tickets. False: nothing more is delivered.
  bool deliver(Work& work, const FlowWorker::Made& made, std::size_t worker, FlowWorker::Counts& counts) {
    std::unique_lock lock(mutex_);
    delivered_.wait(lock, [&] { return aborted_ || delivered_ticket_ + 1 == work.ticket; });
    if (aborted_) return false;
    lock.unlock();
    // Nobody else has this turn.
    auto done = return_letters(made);
    if (done) done = deliver_to_all(work);
    lock.lock();
    if (!done) {
      if (done.error().fault() != Fault::busy || !give_up_) failure_ = done.error();
      abort_now();
      return false;
    }
    counts_.handed_over(work.ticket, made, work.parcels, letters_, worker, counts);
    for (const auto& parcel : work.parcels) unsettled_bytes_ += parcel.bytes.size();
    if (has_last_) keep_for_last(work);
    const bool awaited = plan_.sources[work.reading.input].source->awaited() && queue_.empty();
    const bool held_lines = work.reading.light;
    if (!held_lines) {
      queue_.make_light(work.reading);
      pending_.delivered(work.ticket, std::move(work.reading));
      wake_.wake();
    }
    delivered_ticket_ = work.ticket;
    lock.unlock();
    delivered_.notify_all();
    if (only_last_ || awaited || unsettled_bytes_ > kUnsettledBytes) settle_soon();
    return true;
  }

  Result<void> return_letters(const FlowWorker::Made& made) {
    for (const auto& letter : made.returned) TRY(dead_letters_->keep(letter));
    return {};
  }

  Result<void> deliver_to_all(Work& work) {
    const std::lock_guard lock(outputs_mutex_);
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
      if (!plan_.outputs[i].last) TRY(hand_over(i, work.parcels[i], work.ticket));
    return {};
  }

  Result<void> hand_over(std::size_t output, Parcel& parcel, std::uint64_t ticket) {
    const std::int64_t begun = world_.clock.boot_ns();
    auto done = plan_.outputs[output].output->deliver(parcel, ticket);
    handing_ns_[output] += world_.clock.boot_ns() - begun;
    return done;
  }

  void keep_for_last(Work& work) {
    std::vector<Parcel> kept(plan_.outputs.size());
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
      if (plan_.outputs[i].last) std::swap(kept[i], work.parcels[i]);
    for_last_.emplace_back(work.ticket, std::move(kept));
  }

  /// With mutex_ held.
  void abort_now() {
    aborted_ = true;
    failed_ = true;
    delivered_.notify_all();
    turn_.notify_all();
    wake_.wake();
  }

  void settle_soon() {
    {
      const std::lock_guard lock(mutex_);
      settle_wanted_ = true;
    }
    settle_now_.notify_one();
  }

  // --- the settling thread

  void settle_for_ever() {
    std::int64_t saved_boot_ns = world_.clock.boot_ns();
    std::unique_lock lock(mutex_);
    while (!settling_ended_) {
      settle_now_.wait_for(lock, kSettleEvery, [&] { return settle_wanted_ || settling_ended_; });
      settle_wanted_ = false;
      lock.unlock();
      settle(false);
      if (registry_ && world_.clock.boot_ns() - saved_boot_ns > kSecond) {
        (void)save_positions();
        saved_boot_ns = world_.clock.boot_ns();
      }
      lock.lock();
    }
  }

  void settle(bool wait) {
    const std::lock_guard one(settling_);
    std::uint64_t up_to = 0;
    {
      const std::lock_guard lock(mutex_);
      up_to = delivered_ticket_;
      unsettled_bytes_ = 0;
    }
    auto safe = settle_those(false, up_to, wait);
    if (safe && has_last_) {
      if (auto given = give_to_last(*safe); !given) {
        safe = given.error();
      } else {
        safe = settle_those(true, *safe, wait);
      }
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < settled_.size(); ++i) counts_.settled(i, settled_[i]);
    if (!safe) {
      if (!give_up_ && !failure_) failure_ = safe.error();
      return abort_now();
    }
    auto readings = pending_.take_safe(*safe);
    for (auto& reading : readings) {
      if (registry_) registry_->apply(reading.batch->sources);
      queue_.give_back(std::move(reading));
    }
    if (!readings.empty()) wake_.wake();
  }

  Result<std::uint64_t> settle_those(bool last, std::uint64_t up_to, bool wait) {
    const std::lock_guard lock(outputs_mutex_);
    for (std::size_t i = 0; i < plan_.outputs.size(); ++i) {
      if (plan_.outputs[i].last != last) continue;
      if (settled_[i] < up_to) settled_[i] = std::max(settled_[i], TRY(plan_.outputs[i].output->settle(wait)));
      up_to = std::min(up_to, settled_[i]);
    }
    return up_to;
  }

  Result<void> give_to_last(std::uint64_t safe) {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (for_last_.empty() || for_last_.front().first > safe) return {};
      auto [ticket, parcels] = std::move(for_last_.front());
      for_last_.pop_front();
      lock.unlock();
      const std::lock_guard outputs(outputs_mutex_);
      for (std::size_t i = 0; i < plan_.outputs.size(); ++i)
        if (plan_.outputs[i].last) TRY(hand_over(i, parcels[i], ticket));
    }
  }

  void finish_settling() {
    const std::int64_t begun = world_.clock.boot_ns();
    for (;;) {
      settle(true);
      std::unique_lock lock(mutex_);
      if (pending_.size() == 0 || aborted_) break;
      if (world_.clock.boot_ns() - begun > patience_ns()) {
        give_up_ = true;
        break;
      }
      settle_now_.wait_for(lock, kLookEvery);
    }
    const std::lock_guard lock(mutex_);
    settling_ended_ = true;
    settle_now_.notify_all();
  }

  Result<void> save_positions() {
    auto saved = registry_->save(0);
    if (saved) {
      ledger_.resolved("positions");
    } else {
      ledger_.trouble("positions",
                      fmt::format("{}; what was read since is read again after a restart", saved.error().text()));
    }
    return saved;
  }

  FlowPlan plan_;
  const FlowOptions options_;
  World world_;
  const std::size_t workers_;
  io::Waiter wake_;  ///< of the reading thread
  Ledger ledger_;
  std::vector<std::unique_ptr<PluginLog>> source_logs_, output_logs_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<LetterBox> dead_letters_;
  std::vector<std::unique_ptr<OutputLetters>> letters_;  ///< of each output
  std::vector<std::unique_ptr<SourceGround>> grounds_;
  BatchQueue queue_;
  Reader reader_;
  const bool has_last_ = std::ranges::any_of(plan_.outputs, &FlowOutput::last);
  const bool only_last_ = std::ranges::all_of(plan_.outputs, &FlowOutput::last);

  std::vector<std::string> kept_;  ///< recipes; before handing_over_
  std::atomic<bool> stop_{false}, handing_over_{false}, failed_{false}, give_up_{false};
  std::atomic<std::uint64_t> unsettled_bytes_{0};
  std::vector<std::atomic<std::int64_t>> handing_ns_;  ///< of each output
  std::mutex outputs_mutex_;                           ///< calls of outputs; never taken inside mutex_
  std::mutex settling_;                                ///< one settle() at a time; taken before all others
  mutable std::mutex mutex_;                           ///< everything below
  std::condition_variable turn_, delivered_, settle_now_;
  PendingReadings pending_;
  std::vector<std::unique_ptr<LineJoiner>> joiners_;
  std::deque<std::pair<std::uint64_t, std::vector<Parcel>>> for_last_;
  std::vector<std::uint64_t> settled_;  ///< of the settling thread
  FlowCounts counts_;
  std::optional<Error> failure_;
  std::uint64_t last_ticket_ = 0, delivered_ticket_ = 0;
  std::size_t working_ = 0;  ///< threads
  bool reading_ended_ = false, aborted_ = false, settling_ended_ = false, settle_wanted_ = false;
};

}  // namespace

Result<std::unique_ptr<Flow>> Flow::open(FlowPlan plan, FlowOptions options) {
  ENSURE(plan.chain != nullptr);
  plan.sources.push_back({"dead letters", make_letter_source(options.state_directory), {}, {}, {}, true});
  const std::size_t workers =
      plan.workers > 0 ? plan.workers : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  auto wake = TRY(io::Waiter::make());
  auto flow = std::make_unique<RealFlow>(std::move(plan), std::move(options), workers, std::move(wake));
  TRY(flow->open());
  return std::unique_ptr<Flow>(std::move(flow));
}

}  // namespace enclave::pipeline
