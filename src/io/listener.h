#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/posix.h"
#include "io/tls_server.h"

/// A TCP port or a socket of the file system and its connections, plain or TLS. Nothing here blocks.
namespace enclave::io {

/// One accepted connection. Not thread-safe; owned by its Listener.
class Connection {
 public:
  Connection(Descriptor socket, std::string address, std::uint16_t port, const TlsServer* tls);
  /// Bytes read; 0: nothing now. Faults: absent (ended by the other side), busy (broken), denied (TLS).
  Result<std::size_t> read(std::span<char> into);
  /// Sends what goes now and keeps the rest for later; at most 64 KiB may wait (Fault::limit).
  Result<void> write(std::string_view bytes);
  Result<void> flush();
  bool has_unsent() const { return !unsent_.empty(); }
  /// Of the other side, without its port: 192.0.2.7, 2001:db8::1; "local" for a socket of the file system.
  const std::string& address() const { return address_; }
  /// Of its certificate (TlsSession::peer_name).
  std::string peer_name() const { return tls_ == nullptr ? std::string() : tls_->peer_name(); }
  /// Of the other side.
  std::uint16_t port() const { return port_; }
  int descriptor() const { return socket_.get(); }

 private:
  Result<std::size_t> receive(std::span<char> into);
  Descriptor socket_;
  const std::string address_;
  const std::uint16_t port_;
  std::unique_ptr<TlsSession> tls_;
  std::string unsent_;
};

struct ListenOptions {
  std::string host = "127.0.0.1";  ///< an address of this machine, 0.0.0.0 or :: for all; localhost is 127.0.0.1
  std::uint16_t port = 0;          ///< 0: any free one
  std::size_t connections_max = 1000;
  const TlsServer* tls = nullptr;  ///< outlives the listener; null: plain
  std::string unix_path;           ///< a socket of the file system instead; it is removed at the end
  bool unlink_first = false;       ///< what stands at `unix_path` is removed, if it is a socket
  bool listening = true;           ///< else there is no port: connections are made by connect()
};

/// The first address of a host: asks the system, which may wait. Fault::absent.
Result<std::string> address_of_host(const std::string& host);

/// Not thread-safe.
class Listener {
 public:
  using Id = std::uint64_t;

  /// Fault::invalid: no address. conflict: the port is taken. denied: this user may not use it.
  static Result<std::unique_ptr<Listener>> open(const ListenOptions& options);

  struct Ready {
    std::vector<Id> accepted;
    std::vector<Id> readable;        ///< or ended: reading tells
    std::size_t refused = 0;         ///< closed at once: there are `connections_max` already
    std::optional<Error> exhausted;  ///< accepting waits for accept_again(): no descriptors or memory
  };
  /// What happened since; also sends what waits.
  Ready ready();
  /// Readable when ready() has something to say.
  int descriptor() const { return epoll_.get(); }
  void accept_again();
  /// A connection that this side makes, plain. It is told of by ready() when it is made, or failed: reading tells.
  /// `address` is one, not a name. Faults: invalid, busy.
  Result<Id> connect(const std::string& address, std::uint16_t port);
  Result<Id> connect(const std::string& unix_path);
  ~Listener();

  /// Null when there is none (any more). Read and write through the listener.
  const Connection* find(Id id) const;
  /// Whether ready() tells of this one. A connection that is broken is told of in any case.
  void set_reading(Id id, bool reading);
  /// As Connection::read and write; sees to what is left to send.
  Result<std::size_t> read(Id id, std::span<char> into);
  Result<void> write(Id id, std::string_view bytes);
  void close(Id id);

  std::uint16_t port() const { return port_; }
  std::size_t size() const { return connections_.size(); }

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    bool reading = true;
    bool connecting = false;  ///< this side makes it, and it is not known yet what came of it
  };
  Listener(Descriptor socket, Descriptor epoll, ListenOptions options, std::uint16_t port);
  static Result<Descriptor> bind_port(const ListenOptions& options);
  static Result<Descriptor> bind_path(const ListenOptions& options);
  void accept_some(Ready& ready);
  Result<Id> add(Descriptor socket, std::string address, std::uint16_t port, const TlsServer* tls, bool connecting);
  void update(Id id, const Entry& entry);

  Descriptor socket_, epoll_;
  const ListenOptions options_;
  const std::uint16_t port_;
  std::map<Id, Entry> connections_;
  Id next_id_ = 1;
  bool accepting_ = true;
};

}  // namespace enclave::io
