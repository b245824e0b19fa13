#include "io/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

std::uint16_t port_of(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(from).sin6_port);
  return from.ss_family == AF_INET ? ntohs(reinterpret_cast<const sockaddr_in&>(from).sin_port) : std::uint16_t{0};
}

std::string address_of(const sockaddr_storage& from, socklen_t bytes) {
  if (from.ss_family == AF_UNIX) return "local";
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

Result<Addresses> resolve(const std::string& name, std::uint16_t port) {
  const std::string host = name == "localhost" ? "127.0.0.1" : name;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 || found == nullptr)
    return Error{Fault::invalid, "\"{}\" is not an address to listen on; write one such as 127.0.0.1 or 0.0.0.0", host};
  return Addresses(found);
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{Fault::invalid, "{}: the path of a socket has 1 to {} bytes", path, sizeof address.sun_path - 1};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Result<std::string> address_of_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (failed != 0 || found == nullptr)
    return Error{Fault::absent, "the host {} is not known: {}", host, ::gai_strerror(failed)};
  const Addresses addresses(found);
  sockaddr_storage first{};
  std::memcpy(&first, addresses->ai_addr, addresses->ai_addrlen);
  return address_of(first, addresses->ai_addrlen);
}

Connection::Connection(Descriptor socket, std::string address, std::uint16_t port, const TlsServer* tls)
    : socket_(std::move(socket)), address_(std::move(address)), port_(port) {
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

Listener::~Listener() {
  if (!options_.unix_path.empty() && socket_.is_open()) (void)::unlink(options_.unix_path.c_str());
}

Result<Descriptor> Listener::bind_port(const ListenOptions& options) {
  const auto addresses = TRY(resolve(options.host, options.port));
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
  return socket;
}

Result<Descriptor> Listener::bind_path(const ListenOptions& options) {
  const std::string& path = options.unix_path;
  const sockaddr_un address = TRY(unix_address(path));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(errno, path, "open a socket");
  struct stat found {};
  if (options.unlink_first && ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode))
    (void)::unlink(path.c_str());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EADDRINUSE)
      return Error{Fault::conflict, "{}: something stands there already; remove it if no program listens there", path};
    return system_error(errno, path, "listen");
  }
  if (::listen(socket.get(), kBacklog) != 0) return system_error(errno, path, "listen");
  return socket;
}

Result<std::unique_ptr<Listener>> Listener::open(const ListenOptions& options) {
  Descriptor socket;
  std::uint16_t port = 0;
  const std::string name =
      options.unix_path.empty() ? fmt::format("{} port {}", options.host, options.port) : options.unix_path;
  if (options.listening && !options.unix_path.empty()) {
    socket = TRY(bind_path(options));
  } else if (options.listening) {
    socket = TRY(bind_port(options));
    sockaddr_storage bound{};
    socklen_t bytes = sizeof bound;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &bytes) != 0)
      return system_error(errno, name, "listen");
    port = port_of(bound);
  }
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.u64 = kListening;
  if (!epoll.is_open() || (socket.is_open() && ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0))
    return system_error(errno, name, "wait for connections");
  return std::unique_ptr<Listener>(new Listener(std::move(socket), std::move(epoll), options, port));
}

Result<Listener::Id> Listener::add(Descriptor socket, std::string address, std::uint16_t port, const TlsServer* tls,
                                   bool connecting) {
  const int yes = 1;
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
  const Id id = next_id_++;
  epoll_event wanted{};
  wanted.events = EPOLLIN | (connecting ? EPOLLOUT : 0U);
  wanted.data.u64 = id;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0)
    return system_error(errno, address, "wait for a connection");
  connections_.emplace(
      id, Entry{std::make_unique<Connection>(std::move(socket), std::move(address), port, tls), true, connecting});
  return id;
}

Result<Listener::Id> Listener::connect(const std::string& address, std::uint16_t port) {
  const auto addresses = TRY(resolve(address, port));
  Descriptor socket(::socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(errno, address, "open a socket");
  if (::connect(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 && errno != EINPROGRESS)
    return Error{Fault::busy, "{} port {}: cannot connect: {}", address, port, reason(errno)};
  return add(std::move(socket), address, port, nullptr, true);
}

Result<Listener::Id> Listener::connect(const std::string& unix_path) {
  const sockaddr_un address = TRY(unix_address(unix_path));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(errno, unix_path, "open a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Error{Fault::busy, "{}: cannot connect: {}", unix_path, reason(errno)};
  return add(std::move(socket), "local", 0, nullptr, false);
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
      tell = !entry->second.connection->flush() || tell || entry->second.connecting;
      entry->second.connecting = false;
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
        const std::string name =
            options_.unix_path.empty() ? fmt::format("{} port {}", options_.host, port_) : options_.unix_path;
        ready.exhausted = system_error(errno, name, "accept a connection");
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
    const auto id = add(std::move(socket), address_of(from, bytes), port_of(from), options_.tls, false);
    if (id) ready.accepted.push_back(*id);
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
