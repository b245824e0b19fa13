#include "pipeline/beats_server.h"

#include <algorithm>
#include <charconv>

#include "io/host.h"

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNotPolledNs = 2 * kSecond;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kTurnBytes = 512 * 1024;
constexpr std::size_t kSourcesMax = 4096;
// So few fit into one frame of the spool, and with them what was seen: both are committed, or neither is.
constexpr std::size_t kSourcesOfBatch = 64;
constexpr int kFinishCalls = 400;
constexpr Nanoseconds kFinishNap = std::chrono::milliseconds(5);

io::ClientCertificate client_of(std::string_view word) {
  return word == "required"   ? io::ClientCertificate::required
         : word == "optional" ? io::ClientCertificate::optional
                              : io::ClientCertificate::none;
}

}  // namespace

BeatsServer::BeatsServer(const BeatsOptions& options, const InputSetup& setup, std::unique_ptr<io::TlsServer> tls,
                         std::unique_ptr<io::Listener> listener)
    : options_(options),
      world_(setup.world),
      positions_(setup.positions),
      log_(setup.log),
      tls_(std::move(tls)),
      listener_(std::move(listener)),
      piece_(kPiece),
      seen_(setup.world, setup.positions, options.port, setup.log),
      polled_ns_(setup.world.clock.boot_ns()) {
  for (const auto& [source, state] : positions_.all("beats:")) {
    std::uint64_t count = 0;
    if (!source.ends_with(fmt::format("@{}", options_.port))) continue;
    if (std::from_chars(state.data(), state.data() + state.size(), count).ec == std::errc()) counts_[source] = count;
  }
}

Result<std::unique_ptr<Input>> BeatsServer::open(const BeatsOptions& options, const InputSetup& setup) {
  std::unique_ptr<io::TlsServer> tls;
  if (options.ssl_enabled) {
    io::TlsServerOptions wanted;
    wanted.certificate_file = options.ssl_certificate;
    wanted.key_file = options.ssl_key;
    wanted.ca_files = options.ssl_certificate_authorities;
    wanted.client = client_of(options.ssl_client_authentication);
    tls = TRY(io::TlsServer::make(wanted));
  }
  io::ListenOptions listen;
  listen.host = options.host;
  listen.port = static_cast<std::uint16_t>(options.port);
  listen.connections_max = options.max_connections;
  listen.tls = tls.get();
  auto listener = TRY(io::Listener::open(listen));
  return std::unique_ptr<Input>(new BeatsServer(options, setup, std::move(tls), std::move(listener)));
}

std::vector<int> BeatsServer::descriptors() const { return {listener_->descriptor()}; }
std::int64_t BeatsServer::next_poll_boot_ns() const { return world_.clock.boot_ns() + kSecond; }

Result<Input::Polled> BeatsServer::poll(event::Batch& batch, std::size_t budget) {
  const std::int64_t now = world_.clock.boot_ns();
  if (now - polled_ns_ > kNotPolledNs) forgive_pause(now - polled_ns_);
  polled_ns_ = now;
  dropped_bytes_ = 0;
  take_ready();
  // What is dropped costs as much as what is kept: a sender that only repeats itself must not keep others waiting.
  const auto taken = [&] { return batch.bytes() + dropped_bytes_; };
  while (!active_.empty() && taken() < budget && batch.sources.size() < kSourcesOfBatch) {
    Sender& sender = senders_.at(active_.front());
    active_.pop_front();
    sender.active = false;
    const auto id = sender.id;
    const Turn turned = turn(sender, batch, std::min(budget, taken() + kTurnBytes));
    if (turned == Turn::more) activate(senders_.at(id));
  }
  // An acknowledgement may be the end of a connection: not while it is read.
  acknowledge_due();
  tick();
  seen_.flush(batch);
  if (!batch.empty()) ++given_;
  return active_.empty() ? Polled::idle : Polled::more;
}

// What was given out must be acknowledged, or its senders send it again to whoever comes next.
Result<Input::Polled> BeatsServer::finish(event::Batch& /*batch*/, std::size_t /*budget*/) {
  if (waiting_.empty() || ++finish_calls_ > kFinishCalls) return Polled::end;
  if (auto nap = io::Waiter::make()) (void)nap->wait({}, kFinishNap);
  return Polled::more;
}

void BeatsServer::blocked() { say_alive(true); }

void BeatsServer::committed(const event::Batch& /*batch*/) {
  ++committed_;
  acknowledge_due();
}

void BeatsServer::acknowledge_due() {
  std::vector<Waiting> due;
  std::erase_if(waiting_, [&](const Waiting& one) {
    if (one.batch > committed_) return false;
    due.push_back(one);
    return true;
  });
  for (const auto& one : due) send_ack(one.id, one.version, one.ack);
}

void BeatsServer::take_ready() {
  const auto ready = listener_->ready();
  for (const auto id : ready.accepted) accepted(id);
  if (ready.refused > 0) {
    log_.count("connections_refused", static_cast<std::int64_t>(ready.refused));
    tell(subject_of("connections"), fmt::format("{} connections are open, as many as max_connections allows: further "
                                                "ones are closed",
                                                listener_->size()));
  }
  if (ready.exhausted) tell(subject_of("connections"), ready.exhausted->text());
  for (const auto id : ready.readable) {
    const auto found = senders_.find(id);
    if (found == senders_.end()) continue;
    // Not read from, and yet told of: broken.
    if (found->second.ended || found->second.paused) {
      close(id);
    } else {
      activate(found->second);
    }
  }
}

void BeatsServer::accepted(io::Listener::Id id) {
  Sender sender;
  sender.id = id;
  sender.address = listener_->find(id)->address();
  sender.stream.id = id;
  sender.heard_ns = sender.said_ns = world_.clock.boot_ns();
  log_.count("connections_open", 1);
  senders_.emplace(id, std::move(sender));
}

void BeatsServer::activate(Sender& sender) {
  if (sender.active) return;
  sender.active = true;
  active_.push_back(sender.id);
}

BeatsServer::Turn BeatsServer::turn(Sender& sender, event::Batch& batch, std::size_t budget) {
  for (;;) {
    const auto drained = drain(sender, batch, budget);
    if (!drained) {
      refuse(sender, drained.error().text());
      return Turn::closed;
    }
    look_at_progress(sender);
    if (batch.bytes() + dropped_bytes_ >= budget) return Turn::more;
    if (sender.ended) return Turn::done;
    if (!may_read(sender)) {
      sender.paused = true;
      listener_->set_reading(sender.id, false);
      return Turn::done;
    }
    const auto got = listener_->read(sender.id, piece_);
    if (got && *got == 0) return Turn::done;
    if (got) {
      sender.heard_ns = world_.clock.boot_ns();
      sender.decoder.feed({piece_.data(), *got});
      continue;
    }
    if (got.error().fault() == Fault::denied) {
      refuse(sender, got.error().text());
      return Turn::closed;
    }
    if (got.error().fault() != Fault::absent || sender.waiting == 0) {
      close(sender.id);
      return Turn::closed;
    }
    sender.ended = true;
    listener_->set_reading(sender.id, false);
  }
}

Result<void> BeatsServer::drain(Sender& sender, event::Batch& batch, std::size_t budget) {
  while (batch.bytes() + dropped_bytes_ < budget) {
    const auto item = TRY(sender.decoder.next());
    if (!item) return {};
    sender.version = item->version;
    if (item->is_event) add(sender, batch, *item);
    if (!item->ends_window) continue;
    // Whoever waits for an answer sends nothing that could tell more.
    release_held(sender, batch, nullptr);
    ++sender.stream.window;
    window_ended(sender, *item);
  }
  return {};
}

void BeatsServer::name_source(Sender& sender) {
  sender.source = fmt::format("beats:{}@{}", sender.address, options_.port);
  if (counts_.contains(sender.source)) return;
  if (counts_.size() >= kSourcesMax) sender.source = fmt::format("beats:others@{}", options_.port);
  counts_.emplace(sender.source, 0);
}

void BeatsServer::window_ended(Sender& sender, const event::LumberjackItem& item) {
  ++sender.waiting;
  waiting_.push_back({sender.batch, sender.id, item.version, item.ack});
}

}  // namespace enclave::pipeline
