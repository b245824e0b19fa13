#pragma once

#include <algorithm>
#include <mutex>

namespace enclave::cloud {

/// A token bucket for repetitions: each request earns a tenth of one, so that they stay about 10 % of the requests,
/// beyond a burst. Thread-safe.
class RetryBudget {
 public:
  static constexpr int kBurst = 20;

  void earn() {
    const std::lock_guard lock(mutex_);
    tenths_ = std::min(tenths_ + 1, 10 * kBurst);
  }
  /// False: there is nothing left.
  bool spend() {
    const std::lock_guard lock(mutex_);
    if (tenths_ < 10) return false;
    tenths_ -= 10;
    return true;
  }

 private:
  std::mutex mutex_;
  int tenths_ = 10 * kBurst;
};

}  // namespace enclave::cloud
