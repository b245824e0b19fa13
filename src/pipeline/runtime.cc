#include "pipeline/runtime.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "base/files.h"

namespace enclave::pipeline {
namespace {

using Step = Engine::Step;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStopPatienceNs = 5 * kSecond;

class Runtime {
 public:
  Runtime(World world, Engine& engine, const RunOptions& options, io::Waiter read, io::Waiter commit, io::Waiter upload)
      : world_(world),
        engine_(engine),
        options_(options),
        read_(std::move(read)),
        commit_(std::move(commit)),
        upload_(std::move(upload)) {}

  RunEnd run() {
    engine_.on_wake(Stage::read, [this] { read_.wake(); });
    engine_.on_wake(Stage::commit, [this] { commit_.wake(); });
    engine_.on_wake(Stage::upload, [this] { upload_.wake(); });
    std::thread reading([this] { read(); });
    std::thread committing([this] { commit(); });
    std::thread uploading([this] { upload(); });
    watch();
    reading.join();
    committing.join();
    uploading.join();
    // The engine outlives the waiters.
    for (const auto stage : {Stage::read, Stage::commit, Stage::upload}) engine_.on_wake(stage, nullptr);
    report();
    return engine_.everything_sent() ? RunEnd::all_sent : RunEnd::outbox_left;
  }

 private:
  bool stopping() const { return options_.stop != nullptr && options_.stop->load(); }

  Nanoseconds until(std::int64_t boot_ns) const {
    if (boot_ns == std::numeric_limits<std::int64_t>::max()) return std::chrono::hours(1);
    const std::int64_t left = boot_ns - world_.clock.boot_ns();
    return Nanoseconds(std::clamp<std::int64_t>(left, 0, 3600 * kSecond));
  }

  // A disk that is full may stay full. What is not durable by then is still with its source.
  bool gives_up(Step step, std::int64_t worked_boot_ns) const {
    if (step != Step::blocked) return false;
    const std::int64_t waited = world_.clock.boot_ns() - worked_boot_ns;
    return waited >= (stopping() ? kStopPatienceNs : options_.store_patience.count());
  }

  void read() {
    bool finishing = false;
    std::int64_t worked_boot_ns = 0;
    for (;;) {
      if (!finishing && stopping()) {
        engine_.finish_reading();
        finishing = true;
      }
      const Step step = engine_.read_step();
      const bool ending = finishing || options_.once;
      if (step != Step::blocked || !ending) worked_boot_ns = world_.clock.boot_ns();
      if (step == Step::worked) continue;
      if (step == Step::ended || (ending && gives_up(step, worked_boot_ns))) break;
      if (step == Step::idle && options_.once && !finishing) {
        engine_.finish_reading();
        finishing = true;
        continue;
      }
      // A blocked reader must not be woken by the very lines that it may not read.
      const auto descriptors = step == Step::blocked ? std::vector<int>{} : engine_.read_descriptors();
      (void)read_.wait(descriptors, step == Step::blocked ? Nanoseconds(kSecond) : until(engine_.next_read_boot_ns()));
    }
    reading_ended_ = true;
    commit_.wake();
  }

  void commit() {
    bool finishing = false;
    std::int64_t worked_boot_ns = 0;
    for (;;) {
      if (!finishing && reading_ended_) {
        engine_.finish_committing();
        finishing = true;
      }
      const Step step = engine_.commit_step();
      if (step != Step::blocked || !finishing) worked_boot_ns = world_.clock.boot_ns();
      if (step == Step::worked) continue;
      if (step == Step::ended || (finishing && gives_up(step, worked_boot_ns))) break;
      (void)commit_.wait({}, until(engine_.next_commit_boot_ns()));
    }
    committing_ended_ = true;
    upload_.wake();
  }

  void upload() {
    std::int64_t worked_boot_ns = world_.clock.boot_ns();
    for (;;) {
      const bool last = committing_ended_;
      const Step step = engine_.upload_step();
      const std::int64_t now = world_.clock.boot_ns();
      if (step == Step::worked) {
        worked_boot_ns = now;
        continue;
      }
      if (step == Step::idle) worked_boot_ns = now;
      if (last && (step == Step::idle || engine_.everything_sent())) break;
      const bool patient = options_.once && !stopping() && !engine_.status().store_refuses &&
                           now - worked_boot_ns < options_.store_patience.count();
      if (last && step == Step::blocked && !patient) break;
      (void)upload_.wait({}, until(engine_.next_upload_boot_ns()));
    }
    ended_ = true;
    options_.waiter->wake();
  }

  void watch() {
    bool told_to_stop = false;
    while (!ended_) {
      report();
      (void)options_.waiter->wait({}, Nanoseconds(options_.progress ? kSecond : 2 * kSecond));
      if (stopping() && !told_to_stop) {
        told_to_stop = true;
        read_.wake();
        upload_.wake();
      }
    }
  }

  void report() {
    const EngineStatus status = engine_.status();
    if (options_.progress) options_.progress(status);
    if (options_.tick) options_.tick();
    if (options_.status_path.empty()) return;
    // The text without its time stamp tells whether anything is new; an idle machine writes once a minute.
    std::string text = format_status(status, 0);
    const std::int64_t now = world_.clock.boot_ns();
    if (text == reported_ && now - reported_boot_ns_ < 60 * kSecond) return;
    reported_ = std::move(text);
    reported_boot_ns_ = now;
    // A status that cannot be written (full disk) is not worth a trouble of its own.
    (void)replace_file(world_.files, options_.status_path, format_status(status, world_.clock.wall_ns()));
  }

  World world_;
  Engine& engine_;
  const RunOptions& options_;
  io::Waiter read_, commit_, upload_;
  std::atomic<bool> reading_ended_{false}, committing_ended_{false}, ended_{false};
  std::string reported_;
  std::int64_t reported_boot_ns_ = 0;
};

}  // namespace

Result<RunEnd> run_engine(World world, Engine& engine, const RunOptions& options) {
  ENSURE(options.waiter != nullptr);
  auto read = TRY(io::Waiter::make());
  auto commit = TRY(io::Waiter::make());
  auto upload = TRY(io::Waiter::make());
  return Runtime(world, engine, options, std::move(read), std::move(commit), std::move(upload)).run();
}

}  // namespace enclave::pipeline
