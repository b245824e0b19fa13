#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"

/// Work shared among threads.
namespace enclave::cloud {

/// Calls `work(0)` … `work(threads - 1)` at once, and waits for all. The first failure.
inline Result<void> in_threads(unsigned threads, const std::function<Result<void>(unsigned worker)>& work) {
  std::mutex mutex;
  std::optional<Error> first;
  const auto run = [&](unsigned worker) {
    auto done = work(worker);
    if (done) return;
    const std::lock_guard lock(mutex);
    if (!first) first = std::move(done).error();
  };
  // tidy: allow thread: transfers wait for the network, so they share it among threads that end with the transfer
  std::vector<std::thread> others;
  for (unsigned worker = 1; worker < threads; ++worker) others.emplace_back(run, worker);
  run(0);
  for (auto& other : others) other.join();
  if (first) return *first;
  return {};
}

/// Calls `step(worker, i)` once for every i below `count`, in order of i as far as threads allow. Takes no further one
/// after a failure, which it gives.
inline Result<void> in_parallel(unsigned threads, std::uint64_t count,
                                const std::function<Result<void>(unsigned worker, std::uint64_t i)>& step) {
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> failed{false};
  const auto most =
      static_cast<unsigned>(std::min<std::uint64_t>(std::max(1U, threads), std::max<std::uint64_t>(count, 1)));
  return in_threads(most, [&](unsigned worker) -> Result<void> {
    while (!failed.load()) {
      const std::uint64_t i = next.fetch_add(1);
      if (i >= count) break;
      if (auto done = step(worker, i); !done) {
        failed.store(true);
        return done;
      }
    }
    return {};
  });
}

/// Lets the steps of in_parallel() do something one after the other.
class Turns {
 public:
  /// Waits until all before `i` are done. False: one of them failed.
  bool wait(std::uint64_t i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failed_ || next_ == i; });
    return !failed_;
  }
  void done() {
    const std::lock_guard lock(mutex_);
    ++next_;
    changed_.notify_all();
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ = 0;
  bool failed_ = false;
};

}  // namespace enclave::cloud
