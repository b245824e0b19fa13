#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/ports.h"
#include "base/time.h"

/// The world, simulated: everything of it depends on a seed and on the calls that the test makes, nothing else.
namespace enclave::sim {

/// Virtual time. It stands still until the test moves it.
class SimClock : public Clock {
 public:
  std::int64_t wall_ns() override { return wall_ns_; }
  std::int64_t boot_ns() override { return boot_ns_; }

  void advance(Nanoseconds by) {
    wall_ns_ += by.count();
    boot_ns_ += by.count();
    elapsed_ns_ += by.count();
  }
  /// Somebody sets the wall clock; boot time does not notice.
  void jump_wall(Nanoseconds by) { wall_ns_ += by.count(); }
  /// Boot time begins anew under another boot id.
  void reboot() {
    boot_ns_ = kFirstBootNs;
    ++boots_;
  }
  std::string boot_id() const { return fmt::format("b0070000-0000-4000-8000-{:012x}", boots_); }
  /// Virtual time since the simulation began, across reboots and jumps.
  std::int64_t elapsed_ns() const { return elapsed_ns_; }

 private:
  static constexpr std::int64_t kFirstBootNs = 1'000'000'000;
  std::int64_t wall_ns_ = 1'790'000'000'000'000'000;
  std::int64_t boot_ns_ = kFirstBootNs;
  std::int64_t elapsed_ns_ = 0;
  std::uint64_t boots_ = 1;
};

}  // namespace enclave::sim
