#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/time.h"

namespace enclave::io {

/// Waits between attempts, longer each time, and ends early when the program stops.
class Patience {
 public:
  Patience(const std::atomic<bool>& stopping, Nanoseconds first, Nanoseconds most)
      : stopping_(stopping), next_(first), first_(first), most_(most) {}

  /// False when the program stops.
  bool wait() {
    Nanoseconds left = next_;
    next_ = std::min(next_ * 2, most_);
    constexpr Nanoseconds kLook = std::chrono::milliseconds(50);
    while (left > Nanoseconds::zero() && !stopping_) {
      std::this_thread::sleep_for(std::min(left, kLook));
      left -= kLook;
    }
    return !stopping_;
  }
  void reset() { next_ = first_; }

 private:
  const std::atomic<bool>& stopping_;
  Nanoseconds next_, first_, most_;
};

}  // namespace enclave::io
