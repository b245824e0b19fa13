#include "pipeline/lumberjack_link.h"

#include <algorithm>
#include <array>
#include <limits>

#include "event/lumberjack.h"

namespace enclave::pipeline {
namespace {

using std::chrono_literals::operator""s;

constexpr std::uint32_t kSlowStart = 10;

}  // namespace

LumberjackLink::LumberjackLink(Setup setup, io::SocketWaiter waiter)
    : setup_(std::move(setup)),
      waiter_(std::move(waiter)),
      events_at_once_(setup_.options.slow_start ? kSlowStart : std::numeric_limits<std::uint32_t>::max()) {
  thread_ = std::thread([this] { run(); });
}

LumberjackLink::~LumberjackLink() {
  stopping_ = true;
  wake();
  thread_.join();
}

void LumberjackLink::failed(const io::Endpoint& host, const Error& error) {
  if (stopping_) return;
  ++failures_;
  host_ = (host_ + 1) % setup_.hosts.size();
  setup_.log.trouble(setup_.subject,
                     fmt::format("{}: {}; what was not acknowledged is sent again", host.text(), error.text()));
  setup_.log.count("lumberjack_connections_failed", 1);
  if (setup_.options.slow_start) events_at_once_ = kSlowStart;
  // Another host is tried at once; waiting is for when all of them fail.
  if (failures_ % setup_.hosts.size() != 0) return;
  const auto rounds = std::min<std::size_t>(failures_ / setup_.hosts.size() - 1, 30);
  const std::int64_t most = setup_.options.backoff_max.count();
  const std::int64_t init = std::min(setup_.options.backoff_init.count(), most);
  const std::int64_t whole = init > most >> rounds ? most : init << rounds;
  std::array<std::uint8_t, 1> share{};
  setup_.world.random.fill(share);
  const std::int64_t until = now() + whole / 2 + whole / 2 * share[0] / 255;
  while (!stopping_ && now() < until) waiter_.wait(-1, false, Nanoseconds(until - now()));
}

void LumberjackLink::run() {
  while (!stopping_) {
    if (!setup_.windows.any_waits()) {
      waiter_.wait(-1, false, 1s);
      continue;
    }
    const io::Endpoint host = setup_.hosts[host_];
    auto connection = io::ClientConnection::open(
        host, {.tls = setup_.tls, .timeout = setup_.options.timeout, .stopping = &stopping_});
    if (connection) {
      serve(std::move(*connection));
    } else {
      failed(host, connection.error());
    }
  }
}

bool LumberjackLink::is_old() const {
  return setup_.options.ttl.count() > 0 && now() - connected_ns_ >= setup_.options.ttl.count();
}

void LumberjackLink::serve(io::ClientConnection connection) {
  const io::Endpoint host = setup_.hosts[host_];
  connected_ns_ = alive_ns_ = now();
  heard_.clear();
  proven_ = false;
  connected_ = true;
  for (;;) {
    const auto turned = turn(connection);
    if (stopping_) break;
    if (!turned) {
      // Servers close connections that have nothing to say; that is no trouble.
      const bool idle = flying_.empty() && proven_ && turned.error().fault() != Fault::corrupt;
      connected_ = false;
      give_back();
      if (!idle) failed(host, turned.error());
      return;
    }
    if (flying_.empty() && is_old()) break;
    const bool unsent =
        connection.has_unsent() || (!flying_.empty() && flying_.back().sent < flying_.back().window.bytes.size());
    waiter_.wait(connection.descriptor(), unsent, 1s);
  }
  connected_ = false;
  give_back();
}

Result<void> LumberjackLink::turn(io::ClientConnection& connection) {
  TRY(hear(connection));
  if (!is_old()) take_windows();
  TRY(send(connection));
  if (!flying_.empty() && now() - alive_ns_ > setup_.options.timeout.count())
    return Error{Fault::busy, "no sign of life for {}", format_duration(setup_.options.timeout)};
  return {};
}

void LumberjackLink::take_windows() {
  while (flying_.size() < std::max<std::uint64_t>(1, setup_.options.pipelining)) {
    auto window = setup_.windows.take();
    if (!window) return;
    if (flying_.empty()) alive_ns_ = now();
    if (window->events > events_at_once_) {
      setup_.windows.split(window->ticket, 1);
      setup_.windows.give_back({part_of(*window, events_at_once_, window->events)});
      window = part_of(*window, 0, events_at_once_);
    }
    flying_.push_back({std::move(*window), 0, 0});
  }
}

Result<void> LumberjackLink::send(io::ClientConnection& connection) {
  TRY(connection.flush());
  for (auto& one : flying_) {
    while (one.sent < one.window.bytes.size()) {
      const std::size_t sent = TRY(connection.write(one.window.bytes.substr(one.sent)));
      if (sent == 0) return {};
      one.sent += sent;
      alive_ns_ = now();
    }
  }
  return {};
}

Result<void> LumberjackLink::hear(io::ClientConnection& connection) {
  std::array<char, 4096> piece;
  for (;;) {
    const std::size_t got = TRY(connection.read(piece));
    if (got == 0) return {};
    heard_.append(piece.data(), got);
    std::string_view left = heard_;
    while (const auto sequence = TRY(event::take_lumberjack_ack(left))) TRY(acknowledge(*sequence));
    heard_.erase(0, heard_.size() - left.size());
  }
}

Result<void> LumberjackLink::acknowledge(std::uint32_t sequence) {
  alive_ns_ = now();
  proven_ = true;
  if (sequence == 0) return {};
  if (flying_.empty()) return Error{Fault::corrupt, "an acknowledgement of {} while nothing waits for one", sequence};
  Flying& first = flying_.front();
  if (sequence > first.window.events)
    return Error{Fault::corrupt, "an acknowledgement of {} in a window of {} events", sequence, first.window.events};
  if (sequence <= first.acknowledged) return {};
  setup_.log.count("lumberjack_events_acknowledged", sequence - first.acknowledged);
  first.acknowledged = sequence;
  if (sequence < first.window.events) return {};
  if (first.sent < first.window.bytes.size())
    return Error{Fault::corrupt, "an acknowledgement of events that were not sent"};
  setup_.windows.acknowledged(first.window);
  flying_.pop_front();
  if (failures_ > 0 || flying_.empty()) setup_.log.resolved(setup_.subject);
  failures_ = 0;
  if (events_at_once_ < std::numeric_limits<std::uint32_t>::max() / 2) events_at_once_ *= 2;
  return {};
}

void LumberjackLink::give_back() {
  std::vector<LumberjackWindow> windows;
  for (auto& one : flying_)
    windows.push_back(one.acknowledged == 0 ? std::move(one.window)
                                            : part_of(one.window, one.acknowledged, one.window.events));
  flying_.clear();
  if (!windows.empty()) setup_.windows.give_back(std::move(windows));
}

}  // namespace enclave::pipeline
