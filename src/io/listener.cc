#include "io/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <system_error>

namespace enclave::io {
namespace {

constexpr std::size_t kUnsentMax = 64 * 1024;
constexpr std::size_t kTlsPiece = 32 * 1024;
constexpr int kEventsAtOnce = 128, kAcceptsAtOnce = 64, kBacklog = 512;
constexpr std::uint64_t kListening = 0;

std::string reason(int error) { return std::generic_category().message(error); }

std::string address_of(const sockaddr_storage& from, socklen_t bytes) {
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&from), bytes, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return "unknown";
  const std::string_view found = text.data();
  constexpr std::string_view kMapped = "::ffff:";
  return std::string(found.starts_with(kMapped) ? found.substr(kMapped.size()) : found);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const ListenOptions& options) {
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(options.port).c_str(), &hints, &found) != 0 || found == nullptr)
    return Error{Fault::invalid, "\"{}\" is not an address to listen on; write one such as 127.0.0.1 or 0.0.0.0", host};
  return Addresses(found);
}

}  // namespace

Connection::Connection(Descriptor socket, std::string address, const TlsServer* tls)
    : socket_(std::move(socket)), address_(std::move(address)) {
  if (tls != nullptr) tls_ = std::make_unique<TlsSession>(*tls);
}

Result<std::size_t> Connection::receive(std::span<char> into) {
  const auto got = uninterrupted([&] { return ::recv(socket_.get(), into.data(), into.size(), 0); });
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return Error{Fault::absent, "the other side ended the connection"};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
  return Error{Fault::busy, "the connection broke: {}", reason(errno)};
}

Result<std::size_t> Connection::read(std::span<char> into) {
  if (tls_ == nullptr) return receive(into);
  for (;;) {
    auto plain = tls_->read(into);
    // Also when it failed: the other side is told why.
    tls_->take_to_send(unsent_);
    const auto flushed = flush();
    if (!plain || *plain > 0) return plain;
    if (!flushed) return flushed.error();
    std::array<char, kTlsPiece> piece;
    const std::size_t got = TRY(receive(piece));
    if (got == 0) return std::size_t{0};
    tls_->received({piece.data(), got});
  }
}

Result<void> Connection::write(std::string_view bytes) {
  if (tls_ == nullptr) {
    unsent_ += bytes;
  } else {
    TRY(tls_->write(bytes));
    tls_->take_to_send(unsent_);
  }
  return flush();
}

Result<void> Connection::flush() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const auto went = uninterrupted(
        [&] { return ::send(socket_.get(), unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL); });
    if (went < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (went < 0) return Error{Fault::busy, "the connection broke: {}", reason(errno)};
    sent += static_cast<std::size_t>(went);
  }
  unsent_.erase(0, sent);
  if (unsent_.size() > kUnsentMax) return Error{Fault::limit, "the other side does not read what it is sent"};
  return {};
}

Listener::Listener(Descriptor socket, Descriptor epoll, ListenOptions options, std::uint16_t port)
    : socket_(std::move(socket)), epoll_(std::move(epoll)), options_(std::move(options)), port_(port) {}

Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options) {
  const auto addresses = TRY(resolve(options));
  const std::string name = fmt::format("{} port {}", options.host, options.port);
  const auto failed = [&](std::string_view action) {
    const int error = errno;
    if (error == EADDRINUSE)
      return Error{Fault::conflict, "{}: another program listens there already; stop it or take another port", name};
    if (error == EADDRNOTAVAIL) return Error{Fault::invalid, "{}: this machine has no such address", name};
    return system_error(error, name, action);
  };
  Descriptor socket(::socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed("open a socket");
  const int yes = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0) return failed("listen");
  if (::listen(socket.get(), kBacklog) != 0) return failed("listen");
  sockaddr_storage bound{};
  socklen_t bytes = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &bytes) != 0) return failed("listen");
  const std::uint16_t port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                                               : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = kListening;
  if (!epoll.is_open() || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0)
    return failed("wait for connections");
  return std::unique_ptr<Listener>(new Listener(std::move(socket), std::move(epoll), options, port));
}

Listener::Ready Listener::ready() {
  Ready found;
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = uninterrupted([&] { return ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, 0); });
  for (int i = 0; i < count; ++i) {
    const Id id = events[static_cast<std::size_t>(i)].data.u64;
    const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
    if (id == kListening) {
      accept_some(found);
      continue;
    }
    const auto entry = connections_.find(id);
    if (entry == connections_.end()) continue;
    bool tell = (what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0;
    if ((what & EPOLLOUT) != 0) {
      tell = !entry->second.connection->flush() || tell;
      update(id, entry->second);
    }
    if (tell) found.readable.push_back(id);
  }
  return found;
}

void Listener::accept_some(Ready& ready) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t bytes = sizeof from;
    Descriptor socket(uninterrupted([&] {
      return ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&from), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }));
    if (!socket.is_open()) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ready.exhausted = system_error(errno, fmt::format("{} port {}", options_.host, port_), "accept a connection");
        // The port would be readable all the time.
        epoll_event nothing{};
        nothing.data.u64 = kListening;
        accepting_ = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.get(), &nothing) != 0;
      }
      return;
    }
    if (connections_.size() >= options_.connections_max) {
      ++ready.refused;
      continue;
    }
    const int yes = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    const Id id = next_id_++;
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = id;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0) continue;
    auto connection = std::make_unique<Connection>(std::move(socket), address_of(from, bytes), options_.tls);
    connections_.emplace(id, Entry{std::move(connection), true});
    ready.accepted.push_back(id);
  }
}

void Listener::accept_again() {
  if (accepting_) return;
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = kListening;
  accepting_ = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket_.get(), &wanted) == 0;
}

const Connection* Listener::find(Id id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.connection.get();
}

void Listener::update(Id id, const Entry& entry) {
  epoll_event wanted{};
  wanted.events = (entry.reading ? EPOLLIN : 0U) | (entry.connection->has_unsent() ? EPOLLOUT : 0U);
  wanted.data.u64 = id;
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, entry.connection->descriptor(), &wanted);
}

void Listener::set_reading(Id id, bool reading) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.reading == reading) return;
  found->second.reading = reading;
  update(id, found->second);
}

Result<std::size_t> Listener::read(Id id, std::span<char> into) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return Error{Fault::absent, "the connection is closed"};
  auto got = found->second.connection->read(into);
  if (found->second.connection->has_unsent()) update(id, found->second);
  return got;
}

Result<void> Listener::write(Id id, std::string_view bytes) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return Error{Fault::absent, "the connection is closed"};
  TRY(found->second.connection->write(bytes));
  if (found->second.connection->has_unsent()) update(id, found->second);
  return {};
}

void Listener::close(Id id) { connections_.erase(id); }

}  // namespace enclave::io
