#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "io/posix.h"
#include "io/tls_client.h"

/// A TCP connection that this side makes, plain or TLS.
namespace enclave::io {

/// A host and its port, as "host", "host:5044", "192.0.2.7:5044" or "[2001:db8::1]:5044" say it.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const;
};
/// Fault::invalid. `port` is taken where the text has none.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t port);

struct ConnectOptions {
  const TlsClient* tls = nullptr;  ///< outlives the connection; null: plain
  Nanoseconds timeout = std::chrono::seconds(30);
  /// Looked at while it waits; when set it gives up (Fault::busy).
  const std::atomic<bool>* stopping = nullptr;
};

/// Not thread-safe. After an error it is over.
class ClientConnection {
 public:
  /// Asks for the addresses of the host, tries each, and makes the TLS handshake: waits. Faults: absent (no such host),
  /// busy (nobody answers), denied (TLS).
  static Result<ClientConnection> open(const Endpoint& endpoint, const ConnectOptions& options);

  /// Bytes read; 0: nothing now. Never waits. Faults: absent (ended by the other side), busy (broken), denied (TLS).
  Result<std::size_t> read(std::span<char> into);
  /// Takes as many of the bytes as can go now, or wait in a piece of memory of bounded size, and says how many: 0 when
  /// the other side must read first. Never waits.
  Result<std::size_t> write(std::string_view bytes);
  /// Sends what waits.
  Result<void> flush();
  bool has_unsent() const { return sent_ < unsent_.size(); }
  int descriptor() const { return socket_.get(); }

 private:
  explicit ClientConnection(Descriptor socket) : socket_(std::move(socket)) {}
  Result<void> shake_hands(const ConnectOptions& options, std::int64_t until_ns);
  Result<std::size_t> receive(std::span<char> into);
  Result<std::size_t> send(std::string_view bytes);

  Descriptor socket_;
  std::unique_ptr<TlsClientSession> tls_;
  std::string unsent_;  ///< of TLS, encrypted
  std::size_t sent_ = 0;
};

}  // namespace enclave::io
