#include "pipeline/stream_server.h"

#include <algorithm>
#include <charconv>

namespace enclave::pipeline {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kTickNs = kSecond / 4, kToldNs = 60 * kSecond, kSilentNs = 300 * kSecond;
constexpr std::int64_t kHandshakeNs = 30 * kSecond;
constexpr std::size_t kPiece = 64 * 1024, kTurnBytes = 512 * 1024;
constexpr std::size_t kHeldMax = 64 << 20, kHeldFree = 64 * 1024;
constexpr std::size_t kToldMax = 64, kProxyLineMax = 107;

bool is_address(std::string_view text) {
  return !text.empty() && text.size() < 46 &&
         text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

}  // namespace

StreamServer::StreamServer(StreamOptions options, World world, InputLog& log, std::shared_ptr<PeerSources> sources,
                           std::unique_ptr<io::TlsServer> tls, std::unique_ptr<io::Listener> listener)
    : options_(std::move(options)),
      world_(world),
      log_(log),
      sources_(std::move(sources)),
      tls_(std::move(tls)),
      listener_(std::move(listener)) {}

Result<std::unique_ptr<StreamServer>> StreamServer::open(const StreamOptions& options, World world, InputLog& log,
                                                         std::shared_ptr<PeerSources> sources) {
  std::unique_ptr<io::TlsServer> tls;
  if (options.tls) tls = TRY(io::TlsServer::make(*options.tls));
  io::ListenOptions listen;
  listen.host = options.host;
  listen.port = options.port;
  listen.unix_path = options.connects ? "" : options.unix_path;
  listen.unlink_first = options.unlink_first;
  listen.listening = !options.connects;
  listen.connections_max = options.connections_max;
  listen.tls = tls.get();
  std::string address;
  if (options.connects && options.unix_path.empty()) address = TRY(io::address_of_host(options.host));
  auto listener = TRY(io::Listener::open(listen));
  std::unique_ptr<StreamServer> server;
  server.reset(new StreamServer(options, world, log, std::move(sources), std::move(tls), std::move(listener)));
  server->address_ = std::move(address);
  return server;
}

std::int64_t StreamServer::next_poll_boot_ns() const { return world_.clock.boot_ns() + kSecond; }

std::string StreamServer::name() const {
  if (!options_.unix_path.empty()) return fmt::format("{} {}", options_.kind, options_.unix_path);
  return fmt::format("{} {} {} port {}", options_.kind, options_.connects ? "to" : "on", options_.host, options_.port);
}

Result<Input::Polled> StreamServer::poll(event::Batch& batch, std::size_t budget) {
  ++polls_;
  if (options_.connects) connect();
  take_ready();
  while (!active_.empty() && batch.bytes() < budget) {
    Sender& sender = senders_.at(active_.front());
    active_.pop_front();
    sender.active = false;
    if (turn(sender, batch, std::min(budget, batch.bytes() + kTurnBytes)) == Turn::more) activate(sender);
  }
  tick();
  return active_.empty() ? Polled::idle : Polled::more;
}

// What was received is given out; what is on its way is not waited for.
Result<Input::Polled> StreamServer::finish(event::Batch& batch, std::size_t budget) {
  const Polled polled = TRY(poll(batch, budget));
  if (polled == Polled::more) return polled;
  while (!senders_.empty() && batch.bytes() < budget) end(senders_.begin()->second, batch);
  return senders_.empty() ? Polled::end : Polled::more;
}

void StreamServer::connect() {
  const std::int64_t now = world_.clock.boot_ns();
  if (!senders_.empty() || now < connect_ns_) return;
  connect_ns_ = now + options_.retry.count();
  const auto id =
      options_.unix_path.empty() ? listener_->connect(address_, options_.port) : listener_->connect(options_.unix_path);
  if (!id) return tell(name(), id.error().text());
  accepted(*id);
}

void StreamServer::take_ready() {
  const auto ready = listener_->ready();
  for (const auto id : ready.accepted) accepted(id);
  if (ready.refused > 0) {
    log_.count("connections_refused", static_cast<std::int64_t>(ready.refused));
    tell(name() + " connections",
         fmt::format("{}: {} connections are open, as many as there may be: further ones are closed", name(),
                     listener_->size()));
  }
  if (ready.exhausted) tell(name() + " connections", ready.exhausted->text());
  for (const auto id : ready.readable)
    if (const auto found = senders_.find(id); found != senders_.end()) activate(found->second);
}

void StreamServer::accepted(io::Listener::Id id) {
  Sender sender(options_, id);
  const io::Connection& connection = *listener_->find(id);
  sender.address = connection.address();
  sender.fields = options_.unix_path.empty() ? peer_fields({sender.address, connection.port(), "", 0}) : "";
  sender.heard_ns = world_.clock.boot_ns();
  log_.count("connections_open", 1);
  senders_.emplace(id, std::move(sender));
}

void StreamServer::activate(Sender& sender) {
  if (sender.active) return;
  sender.active = true;
  active_.push_back(sender.id);
}

StreamServer::Turn StreamServer::turn(Sender& sender, event::Batch& batch, std::size_t budget) {
  while (batch.bytes() < budget) {
    const auto piece = batch.allocate(kPiece);
    const auto got = listener_->read(sender.id, piece);
    batch.shrink_last(kPiece - got.value_or(0));
    if (got && *got == 0) return Turn::done;
    if (got) {
      sender.heard_ns = world_.clock.boot_ns();
      sender.spoke = true;
      if (const auto taken = take(sender, {piece.data(), *got}, batch); !taken) {
        refuse(sender, taken.error().text());
        return Turn::closed;
      }
      continue;
    }
    const bool expected = got.error().fault() == Fault::absent;
    if (got.error().fault() == Fault::denied) {
      refuse(sender, got.error().text());
      return Turn::closed;
    }
    if (options_.connects && !expected) tell(name(), fmt::format("{}: {}", name(), got.error().text()));
    end(sender, batch);
    return Turn::closed;
  }
  return Turn::more;
}

Result<void> StreamServer::take(Sender& sender, std::string_view piece, event::Batch& batch) {
  messages_.clear();
  const std::size_t others = held_ - sender.held;
  const std::size_t room = others >= kHeldMax ? 0 : kHeldMax - others;
  const auto fed = sender.framer.feed(piece, batch, messages_, std::max({room, kHeldFree}));
  held_ += sender.framer.held() - sender.held;
  sender.held = sender.framer.held();
  TRY(give(sender, batch));
  if (sender.expects_proxy && sender.framer.held() > kProxyLineMax)
    return Error{Fault::corrupt, "it does not begin with the line of a proxy"};
  return fed;
}

Result<void> StreamServer::give(Sender& sender, event::Batch& batch) {
  std::size_t at = 0;
  if (sender.expects_proxy && !messages_.empty()) TRY(take_proxy_line(sender, messages_[at++].bytes));
  if (at == messages_.size()) return {};
  if (sender.peer == nullptr) sender.peer = &sources_->of(sender.address);
  if (sender.batch != polls_) {
    sender.fields_in_batch = batch.store(sender.fields);
    sender.batch = polls_;
  }
  PeerSources::Adding adding(batch, *sender.peer);
  for (; at < messages_.size(); ++at) {
    const auto& message = messages_[at];
    // Some senders end a counted message with a line feed all the same.
    if (message.bytes.empty() && options_.framing == StreamFramer::Framing::lines_or_counted) continue;
    event::Event& event = adding.add(message.bytes, message.eol, sender.fields_in_batch);
    event.cut_bytes = message.cut_bytes;
    if (message.cut_bytes > 0) log_.count("lines_cut", 1);
  }
  return {};
}

// PROXY TCP4 192.0.2.7 192.0.2.1 40312 514
Result<void> StreamServer::take_proxy_line(Sender& sender, std::string_view line) {
  sender.expects_proxy = false;
  std::vector<std::string_view> words;
  while (words.size() < 7) {
    const std::size_t space = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, space));
    if (space == line.size()) break;
    line.remove_prefix(space + 1);
  }
  if (words[0] != "PROXY" || words.size() < 2)
    return Error{Fault::corrupt, "it does not begin with the line of a proxy"};
  if (words[1] == "UNKNOWN") return {};
  std::uint16_t port = 0;
  if (words.size() != 6 || !is_address(words[2]) ||
      std::from_chars(words[4].data(), words[4].data() + words[4].size(), port).ec != std::errc())
    return Error{Fault::corrupt, "the line of the proxy cannot be read"};
  const std::uint16_t proxy_port = listener_->find(sender.id)->port();
  sender.fields = peer_fields({words[2], port, sender.address, proxy_port});
  sender.address = words[2];
  return {};
}

void StreamServer::end(Sender& sender, event::Batch& batch) {
  messages_.clear();
  sender.framer.finish(batch, messages_);
  if (!sender.expects_proxy) (void)give(sender, batch);
  close(sender.id);
}

void StreamServer::tick() {
  const std::int64_t now = world_.clock.boot_ns();
  if (now - ticked_ns_ < kTickNs) return;
  ticked_ns_ = now;
  const bool full = senders_.size() >= options_.connections_max;
  std::vector<io::Listener::Id> late;
  for (const auto& [id, sender] : senders_) {
    if (sender.active) continue;
    const std::int64_t silent = now - sender.heard_ns;
    if ((options_.idle.count() > 0 && silent > options_.idle.count()) || (full && silent > kSilentNs) ||
        (tls_ != nullptr && !sender.spoke && silent > kHandshakeNs))
      late.push_back(id);
  }
  // What they left unfinished will not be finished.
  for (const auto id : late) {
    if (senders_.at(id).framer.mid_message()) log_.count("messages_unfinished", 1);
    close(id);
  }
  listener_->accept_again();
  std::erase_if(told_, [&](const auto& one) {
    if (now - one.second < kToldNs) return false;
    log_.resolved(one.first);
    return true;
  });
}

void StreamServer::refuse(Sender& sender, std::string_view why) {
  log_.count("connections_broken", 1);
  tell(fmt::format("{} {}", name(), sender.address),
       fmt::format("{}: {} was disconnected: {}", name(), sender.address, why));
  close(sender.id);
}

void StreamServer::close(io::Listener::Id id) {
  const auto found = senders_.find(id);
  if (found == senders_.end()) return;
  held_ -= found->second.held;
  if (found->second.active) std::erase(active_, id);
  senders_.erase(found);
  listener_->close(id);
  log_.count("connections_open", -1);
}

void StreamServer::tell(std::string subject, std::string_view text) {
  // Many addresses must not make many lines.
  if (!told_.contains(subject) && told_.size() >= kToldMax) return;
  log_.trouble(subject, text);
  told_[std::move(subject)] = world_.clock.boot_ns();
}

}  // namespace enclave::pipeline
