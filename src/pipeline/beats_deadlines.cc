#include <algorithm>
#include <limits>

#include "pipeline/beats_server.h"

/// The part of the server that looks at the clock, and its words to senders and to the user.
namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTickNs = kSecond / 4;
constexpr std::int64_t kAliveNs = 5 * kSecond;
constexpr std::int64_t kFrameNs = 30 * kSecond, kWindowNs = 300 * kSecond;
constexpr std::int64_t kToldNs = 60 * kSecond;
constexpr std::size_t kToldMax = 64;
// Every connection may hold a little, whatever the others hold: large frames must not keep small ones waiting.
constexpr std::size_t kFreeBytes = 96 * 1024;
constexpr std::size_t kBufferedMax = 64 << 20;

}  // namespace

void BeatsServer::look_at_progress(Sender& sender) {
  const std::int64_t now = world_.clock.boot_ns();
  const auto& decoder = sender.decoder;
  if (decoder.frames() != sender.frames || sender.frame_ns == 0) sender.frame_ns = now;
  if (!decoder.mid_frame()) sender.frame_ns = 0;
  if (decoder.windows() != sender.windows || sender.window_ns == 0) sender.window_ns = now;
  if (!decoder.mid_window()) sender.window_ns = 0;
  sender.frames = decoder.frames();
  sender.windows = decoder.windows();
  buffered_ += decoder.buffered() - sender.buffered;
  sender.buffered = decoder.buffered();
}

bool BeatsServer::may_read(const Sender& sender) const {
  return sender.buffered <= kFreeBytes || buffered_ <= kBufferedMax || sender.id == preferred_;
}

void BeatsServer::send_ack(io::Listener::Id id, std::uint8_t version, std::uint32_t ack) {
  const auto found = senders_.find(id);
  if (found == senders_.end()) return;
  Sender& sender = found->second;
  if (sender.waiting > 0) --sender.waiting;
  std::string frame;
  event::append_lumberjack_ack(frame, version, ack);
  sender.said_ns = world_.clock.boot_ns();
  if (!listener_->write(id, frame) || (sender.ended && sender.waiting == 0)) close(id);
}

// Whoever waits for us must not give up. Version 1 has no such sign.
void BeatsServer::say_alive(bool stalled) {
  const std::int64_t now = world_.clock.boot_ns();
  std::string frame;
  event::append_lumberjack_ack(frame, '2', 0);
  std::vector<io::Listener::Id> broken;
  for (auto& [id, sender] : senders_) {
    const bool waits = sender.waiting > 0 || ((stalled || sender.paused) && sender.decoder.mid_window());
    if (!waits || sender.version != '2' || now - sender.said_ns < kAliveNs) continue;
    sender.said_ns = now;
    if (!listener_->write(id, frame)) broken.push_back(id);
  }
  for (const auto id : broken) close(id);
}

void BeatsServer::tick() {
  const std::int64_t now = world_.clock.boot_ns();
  if (now - ticked_ns_ < kTickNs) return;
  ticked_ns_ = now;
  seen_.tick([this](std::uint64_t id) { return senders_.contains(id); }, committed_);
  look_at_deadlines(now);
  resume_paused();
  say_alive(false);
  listener_->accept_again();
  std::erase_if(told_, [&](const auto& one) {
    if (now - one.second < kToldNs) return false;
    log_.resolved(one.first);
    return true;
  });
}

void BeatsServer::look_at_deadlines(std::int64_t now) {
  std::vector<std::pair<io::Listener::Id, std::string_view>> late;
  for (const auto& [id, sender] : senders_) {
    if (sender.active || sender.paused) continue;
    if (sender.frame_ns != 0 && now - sender.frame_ns > kFrameNs) {
      late.emplace_back(id, "a frame did not end within 30 seconds");
    } else if (sender.window_ns != 0 && sender.version != '1' && now - sender.window_ns > kWindowNs) {
      late.emplace_back(id, "a window did not end within 300 seconds");
    } else if (sender.waiting == 0 && now - sender.heard_ns > options_.client_inactivity_timeout.count()) {
      late.emplace_back(id, "");
    }
  }
  for (const auto& [id, why] : late) {
    if (!why.empty()) {
      refuse(senders_.at(id), why);
    } else {
      close(id);
    }
  }
}

// Beyond the bound one at a time is read from, the one that waits longest: it ends, or its time does.
void BeatsServer::resume_paused() {
  const std::int64_t now = world_.clock.boot_ns();
  const bool room = buffered_ <= kBufferedMax;
  const auto preferred = senders_.find(preferred_);
  if (room || preferred == senders_.end() || preferred->second.buffered <= kFreeBytes) {
    preferred_ = 0;
    std::int64_t oldest_ns = std::numeric_limits<std::int64_t>::max();
    for (const auto& [id, sender] : senders_) {
      if (room || !sender.paused || sender.frame_ns >= oldest_ns) continue;
      preferred_ = id;
      oldest_ns = sender.frame_ns;
    }
  }
  for (auto& [id, sender] : senders_) {
    if (!sender.paused || !(room || id == preferred_)) continue;
    sender.paused = false;
    sender.heard_ns = sender.frame_ns = now;
    if (sender.window_ns != 0) sender.window_ns = now;
    listener_->set_reading(id, true);
    activate(sender);
  }
}

// Time in which nothing was read is not the senders' fault.
void BeatsServer::forgive_pause(std::int64_t pause_ns) {
  for (auto& [id, sender] : senders_) {
    sender.heard_ns += pause_ns;
    if (sender.frame_ns != 0) sender.frame_ns += pause_ns;
    if (sender.window_ns != 0) sender.window_ns += pause_ns;
  }
}

void BeatsServer::refuse(Sender& sender, std::string_view why) {
  log_.count("connections_broken", 1);
  tell(subject_of(sender.address), fmt::format("{} was disconnected: {}", sender.address, why));
  close(sender.id);
}

void BeatsServer::close(io::Listener::Id id) {
  const auto found = senders_.find(id);
  if (found == senders_.end()) return;
  buffered_ -= found->second.buffered;
  if (found->second.active) std::erase(active_, id);
  std::erase_if(waiting_, [&](const Waiting& one) { return one.id == id; });
  senders_.erase(found);
  listener_->close(id);
  log_.count("connections_open", -1);
}

std::string BeatsServer::subject_of(std::string_view address) const {
  return fmt::format("beats {} {}", options_.port, address);
}

void BeatsServer::tell(std::string subject, std::string_view text) {
  // Many addresses must not make many lines.
  if (!told_.contains(subject) && told_.size() >= kToldMax) return;
  log_.trouble(subject, fmt::format("beats on {} port {}: {}", options_.host, options_.port, text));
  told_[std::move(subject)] = world_.clock.boot_ns();
}

}  // namespace enclave::pipeline
