#include "pipeline/lumberjack_windows.h"

#include <algorithm>
#include <limits>

#include "event/lumberjack.h"

namespace enclave::pipeline {
namespace {

/// Far more than is on its way to any receiver nearby; what is waited for longer would only stand in memory.
constexpr std::size_t kBytesMax = 16 << 20;

}  // namespace

LumberjackWindow part_of(const LumberjackWindow& window, std::uint32_t first, std::uint32_t count) {
  event::LumberjackLimits limits;
  limits.window_events = std::numeric_limits<std::uint32_t>::max();
  limits.frame_bytes = limits.inflated_bytes = std::numeric_limits<std::uint32_t>::max();
  limits.inflated_bytes_free = limits.inflated_bytes;
  event::LumberjackDecoder decoder(limits);
  decoder.feed(window.bytes);
  auto out = std::make_shared<std::string>();
  const std::uint32_t events = std::min(count, window.events - first);
  event::append_lumberjack_window(*out, events);
  for (std::uint32_t at = 0; at < first + events; ++at) {
    const auto item = decoder.next();
    ENSURE(item && *item && (*item)->is_event);
    if (at >= first) event::append_lumberjack_json(*out, at - first + 1, (*item)->json);
  }
  LumberjackWindow part;
  part.bytes = *out;
  part.memory = std::move(out);
  part.events = events;
  part.ticket = window.ticket;
  return part;
}

bool LumberjackWindows::wait_for_room(Nanoseconds at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [&] { return bytes_ < kBytesMax; });
}

void LumberjackWindows::add(std::uint64_t ticket, std::vector<LumberjackWindow> windows) {
  const std::lock_guard lock(mutex_);
  Ticket& made = tickets_.emplace_back();
  made.ticket = ticket;
  made.windows = windows.size();
  for (auto& window : windows) {
    made.bytes += window.bytes.size();
    waiting_.push_back(std::move(window));
  }
  bytes_ += made.bytes;
  settle();
}

std::optional<LumberjackWindow> LumberjackWindows::take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  auto first = std::move(waiting_.front());
  waiting_.pop_front();
  return first;
}

void LumberjackWindows::give_back(std::vector<LumberjackWindow> windows) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(windows.begin()), std::make_move_iterator(windows.end()));
}

auto LumberjackWindows::find(std::uint64_t ticket) -> Ticket& {
  const auto found = std::ranges::lower_bound(tickets_, ticket, {}, &Ticket::ticket);
  ENSURE(found != tickets_.end() && found->ticket == ticket);
  return *found;
}

void LumberjackWindows::split(std::uint64_t ticket, std::size_t more) {
  const std::lock_guard lock(mutex_);
  find(ticket).windows += more;
}

void LumberjackWindows::acknowledged(const LumberjackWindow& window) {
  const std::lock_guard lock(mutex_);
  Ticket& ticket = find(window.ticket);
  ENSURE(ticket.windows > 0);
  --ticket.windows;
  settle();
}

void LumberjackWindows::settle() {
  while (!tickets_.empty() && tickets_.front().windows == 0) {
    settled_ = tickets_.front().ticket;
    bytes_ -= tickets_.front().bytes;
    tickets_.pop_front();
  }
  changed_.notify_all();
}

bool LumberjackWindows::any_waits() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

std::uint64_t LumberjackWindows::settled() const {
  const std::lock_guard lock(mutex_);
  return settled_;
}

bool LumberjackWindows::all_settled() const {
  const std::lock_guard lock(mutex_);
  return tickets_.empty();
}

void LumberjackWindows::wait_settled(Nanoseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [&] { return tickets_.empty(); });
}

}  // namespace enclave::pipeline
