#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The server side of TLS (OpenSSL), version 1.2 or later. It eats and gives bytes; the sockets are somebody else's.
namespace enclave::io {

enum class ClientCertificate : std::uint8_t {
  none,      ///< not asked for
  optional,  ///< asked for; one that is sent must be good
  required,
};

struct TlsServerOptions {
  std::string certificate_file;       ///< PEM: the server's own, then those between it and its CA
  std::string key_file;               ///< PEM, without a passphrase
  std::vector<std::string> ca_files;  ///< PEM: who may have signed clients' certificates
  ClientCertificate client = ClientCertificate::none;
};

/// Certificate, key and whom to trust; outlives its sessions. Thread-safe.
class TlsServer {
 public:
  /// Fault::invalid names the file and what is wrong with it.
  static Result<std::unique_ptr<TlsServer>> make(const TlsServerOptions& options);
  ~TlsServer();

 private:
  friend class TlsSession;
  struct State;
  explicit TlsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// TLS of one connection. Not thread-safe. After an error it is over.
class TlsSession {
 public:
  explicit TlsSession(const TlsServer& server);
  ~TlsSession();
  /// Bytes from the network.
  void received(std::string_view bytes);
  /// Plain bytes; 0: more must be received. The handshake is made on the way. Faults: absent (the other side ended it
  /// in order), denied (handshake failed, not TLS, damaged).
  Result<std::size_t> read(std::span<char> into);
  /// Plain bytes for the other side. Fault::denied before the handshake is over.
  Result<void> write(std::string_view plain);
  /// The subject of the certificate that the other side proved to have, as RFC 2253 writes it. Empty: it showed none,
  /// or the handshake is not over.
  std::string peer_name() const;
  /// Appends what must go to the network.
  void take_to_send(std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace enclave::io
