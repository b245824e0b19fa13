#include <gmock/gmock.h>

#include "pipeline/spool.h"
#include "sim/disk.h"

/// The spool alone on a disk that loses power: what commit() said is durable comes back, once, in order, and nothing
/// that was not staged.
namespace enclave::sim {
namespace {
using pipeline::Frame;
using pipeline::Spool;

class SpoolSim {
 public:
  explicit SpoolSim(std::uint64_t seed) : random_(seed), disk_(clock_, seed + 1) {
    const Disk::OtherProgram other(disk_);
    LogWriter(disk_).make_directories("/var");
  }
  ~SpoolSim() { disk_.halt(); }

  /// What is wrong, or nothing.
  std::string run() {
    open();
    for (std::uint64_t i = 0; i < 40 && wrong_.empty(); ++i) act();
    end(true);
    return wrong_;
  }

 private:
  void open() {
    std::vector<Frame> found;
    notices_.clear();
    auto opened = Spool::open(
        {clock_, disk_, random_}, {"/var/spool", ByteCount{2000}}, crypto::Secret(std::string(32, 'k')),
        [&](Frame&& frame) { found.push_back(std::move(frame)); }, notices_);
    if (!opened) return fail("does not open: " + opened.error().text());
    spool_ = std::move(*opened);
    std::uint64_t next = found.empty() ? durable_ + 1 : found.front().first_seq;
    if (next > freed_ + 1 && !(found.empty() && freed_ >= durable_))
      return fail(fmt::format("begins at {}, freed up to {}", next, freed_));
    ordinals_.clear();
    for (const auto& frame : found) {
      if (frame.first_seq != next) return fail(fmt::format("frame {} where {} should be", frame.first_seq, next));
      if (frame.records != text(frame.first_seq, frame.count)) return fail("other bytes");
      next = frame.next_seq();
      ordinals_.emplace_back(frame.ordinal, next - 1);
    }
    if (next <= durable_) return fail(fmt::format("ends before {}, durable was {}", next, durable_));
    for (const auto& notice : notices_) fail("notice: " + notice);
    // What is found counts from now on, as the program acts on it.
    durable_ = next - 1;
    staged_ = durable_;
  }

  void act() {
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        return stage();
      case 3:
      case 4:
        return commit();
      case 5:
        if (ordinals_.empty()) return;
        {
          const auto [ordinal, seq] = ordinals_[random_.below(ordinals_.size())];
          freed_ = std::max(freed_, std::min(seq, durable_));
          if (seq <= durable_) (void)spool_->free_through(ordinal);
          return;
        }
      case 6:
        if (random_.chance(0.5)) return disk_.fail({.calls = call::kChanges, .nth = random_.between(1, 6)});
        disk_.halt_after(random_.below(8));
        return commit();
      default:
        return end(random_.chance(0.5));
    }
  }

  void stage() {
    Frame frame;
    frame.first_seq = staged_ + 1;
    frame.count = static_cast<std::uint32_t>(random_.between(1, 3));
    frame.records = text(frame.first_seq, frame.count);
    staged_ += frame.count;
    const std::uint64_t last = staged_;
    ordinals_.emplace_back(spool_->stage(std::move(frame)), last);
  }

  void commit() {
    const auto done = spool_->commit();
    if (disk_.halted()) return end(random_.chance(0.5));
    if (done) durable_ = staged_;
  }

  void end(bool power) {
    disk_.halt();
    spool_.reset();
    disk_.heal();
    if (power) {
      disk_.cut_power();
    } else {
      disk_.resume();
    }
    open();
  }

  std::string text(std::uint64_t seq, std::uint64_t count) const {
    std::string made;
    for (std::uint64_t i = 0; i < count; ++i) made += fmt::format("{:>{}}", seq + i, 10 + (seq + i) % 7 * 90);
    return made;
  }
  void fail(const std::string& text) {
    if (wrong_.empty()) wrong_ = text;
  }

  SimClock clock_;
  SimRandom random_;
  Disk disk_;
  std::unique_ptr<Spool> spool_;
  std::vector<std::string> notices_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ordinals_;  ///< of each frame, with its last number
  std::uint64_t staged_ = 0, durable_ = 0, freed_ = 0;
  std::string wrong_;
};

TEST(SpoolSim, KeepsWhatItCommittedAcrossPowerCutsCrashesAndFailures) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SpoolSim sim(seed);
    const std::string wrong = sim.run();
    EXPECT_EQ(wrong, "") << "seed " << seed;
    if (!wrong.empty()) return;
  }
}

}  // namespace
}  // namespace enclave::sim
