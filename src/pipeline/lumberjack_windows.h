#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// What lumberjack_output.cc is made of: the windows that wait, and which parcels are acknowledged.
namespace enclave::pipeline {

/// Frames of one window as they go over the wire, the W frame first.
struct LumberjackWindow {
  std::shared_ptr<const std::string> memory;  ///< that `bytes` points into
  std::string_view bytes;
  std::uint32_t events = 0;
  std::uint64_t ticket = 0;
};

/// The events of `window` from number `first` on, at most `count` of them, as a window of their own, not compressed.
/// `window` was made by us.
LumberjackWindow part_of(const LumberjackWindow& window, std::uint32_t first, std::uint32_t count);

/// Thread-safe.
class LumberjackWindows {
 public:
  /// Room for one more parcel, or `at_most` is over; true when there is.
  bool wait_for_room(Nanoseconds at_most);
  /// Tickets grow. Without windows the ticket is settled when those before it are.
  void add(std::uint64_t ticket, std::vector<LumberjackWindow> windows);

  std::optional<LumberjackWindow> take();
  /// Those that came back are the first to be taken again; in their order.
  void give_back(std::vector<LumberjackWindow> windows);
  /// One that was taken is now to be sent in more parts than one.
  void split(std::uint64_t ticket, std::size_t more);
  void acknowledged(const LumberjackWindow& window);

  bool any_waits() const;
  std::uint64_t settled() const;
  bool all_settled() const;
  /// Until all is settled, or `at_most` is over.
  void wait_settled(Nanoseconds at_most);

 private:
  struct Ticket {
    std::uint64_t ticket = 0;
    std::size_t windows = 0;  ///< not yet acknowledged
    std::size_t bytes = 0;
  };
  Ticket& find(std::uint64_t ticket);
  void settle();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LumberjackWindow> waiting_;
  std::deque<Ticket> tickets_;
  std::size_t bytes_ = 0;
  std::uint64_t settled_ = 0;
};

}  // namespace enclave::pipeline
