#include "io/client_connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include "io/system.h"

namespace enclave::io {
namespace {

constexpr std::size_t kTlsPiece = 32 * 1024;
constexpr std::size_t kUnsentMax = 256 * 1024;
constexpr int kWaitMs = 100;

std::string reason(int error) { return std::generic_category().message(error); }

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (code != 0 || found == nullptr)
    return Error{code == EAI_AGAIN ? Fault::busy : Fault::absent, "no address of {} is found: {}", endpoint.host,
                 ::gai_strerror(code)};
  return Addresses(found);
}

/// Waits until the descriptor is ready for `events`. Fault::busy when the time is over, or when it shall stop.
Result<void> wait_for(int descriptor, short events, const ConnectOptions& options, std::int64_t until_ns) {
  for (;;) {
    if (options.stopping != nullptr && options.stopping->load()) return Error{Fault::busy, "it is to stop"};
    pollfd one{descriptor, events, 0};
    const int ready = ::poll(&one, 1, kWaitMs);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Error{Fault::busy, "waiting failed: {}", reason(errno)};
    if (real_clock().boot_ns() >= until_ns) return Error{Fault::busy, "no answer within the time"};
  }
}

Result<Descriptor> dial(const addrinfo& address, const ConnectOptions& options, std::int64_t until_ns) {
  Descriptor made(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open()) return Error{Fault::busy, "no socket: {}", reason(errno)};
  const int on = 1;
  (void)::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)::setsockopt(made.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(made.get(), address.ai_addr, address.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS && errno != EINTR) return Error{Fault::busy, "{}", reason(errno)};
  TRY(wait_for(made.get(), POLLOUT, options, until_ns));
  int error = 0;
  socklen_t bytes = sizeof error;
  if (::getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) error = errno;
  if (error != 0) return Error{Fault::busy, "{}", reason(error)};
  return made;
}

}  // namespace

std::string Endpoint::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t port) {
  const auto refuse = [&] {
    return Error{Fault::invalid, "\"{}\" is no host and port, such as logs.example:5044", text};
  };
  Endpoint out{std::string(text), port};
  std::string_view digits;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return refuse();
    out.host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (!rest.starts_with(':') || rest.size() == 1)) return refuse();
    if (!rest.empty()) digits = rest.substr(1);
  } else if (std::ranges::count(text, ':') == 1) {
    out.host = text.substr(0, text.find(':'));
    digits = text.substr(text.find(':') + 1);
    if (digits.empty()) return refuse();
  }
  if (!digits.empty()) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (error != std::errc() || end != digits.data() + digits.size() || out.port == 0) return refuse();
  }
  if (out.host.empty() || out.host.find_first_of(" \t/@") != std::string::npos || out.port == 0) return refuse();
  return out;
}

Result<ClientConnection> ClientConnection::open(const Endpoint& endpoint, const ConnectOptions& options) {
  const Addresses addresses = TRY(resolve(endpoint));
  std::optional<Error> failed;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    const std::int64_t until_ns = real_clock().boot_ns() + options.timeout.count();
    auto socket = dial(*one, options, until_ns);
    if (!socket) {
      failed = socket.error();
      continue;
    }
    ClientConnection made(std::move(*socket));
    if (options.tls != nullptr) {
      made.tls_ = std::make_unique<TlsClientSession>(*options.tls, endpoint.host);
      TRY(made.shake_hands(options, until_ns));
    }
    return made;
  }
  return *failed;
}

Result<void> ClientConnection::shake_hands(const ConnectOptions& options, std::int64_t until_ns) {
  for (;;) {
    const auto done = tls_->handshake();
    tls_->take_to_send(unsent_);
    // Also when it failed: the other side is told why.
    const auto flushed = flush();
    if (!done) return done.error();
    TRY(Result<void>(flushed));
    if (*done && !has_unsent()) return {};
    TRY(wait_for(descriptor(), has_unsent() ? POLLOUT : POLLIN, options, until_ns));
    if (*done) continue;
    std::array<char, kTlsPiece> piece;
    const std::size_t got = TRY(receive(piece));
    tls_->received({piece.data(), got});
  }
}

Result<std::size_t> ClientConnection::receive(std::span<char> into) {
  const auto got = uninterrupted([&] { return ::recv(socket_.get(), into.data(), into.size(), 0); });
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return Error{Fault::absent, "the other side ended the connection"};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
  return Error{Fault::busy, "the connection broke: {}", reason(errno)};
}

Result<std::size_t> ClientConnection::send(std::string_view bytes) {
  const auto sent = uninterrupted([&] { return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
  return Error{Fault::busy, "the connection broke: {}", reason(errno)};
}

Result<std::size_t> ClientConnection::read(std::span<char> into) {
  if (tls_ == nullptr) return receive(into);
  for (;;) {
    auto plain = tls_->read(into);
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

Result<std::size_t> ClientConnection::write(std::string_view bytes) {
  if (tls_ == nullptr) return send(bytes);
  TRY(flush());
  std::size_t taken = 0;
  while (taken < bytes.size() && unsent_.size() - sent_ < kUnsentMax) {
    const auto piece = bytes.substr(taken, kTlsPiece);
    TRY(tls_->write(piece));
    taken += piece.size();
    tls_->take_to_send(unsent_);
    TRY(flush());
  }
  return taken;
}

Result<void> ClientConnection::flush() {
  while (has_unsent()) {
    const std::size_t sent = TRY(send(std::string_view(unsent_).substr(sent_)));
    if (sent == 0) return {};
    sent_ += sent;
    if (sent_ < kUnsentMax) continue;
    unsent_.erase(0, sent_);
    sent_ = 0;
  }
  unsent_.clear();
  sent_ = 0;
  return {};
}

}  // namespace enclave::io
