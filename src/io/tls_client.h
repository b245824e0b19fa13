#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// The client side of TLS (OpenSSL), version 1.2 or later. It eats and gives bytes; the sockets are somebody else's.
namespace enclave::io {

/// What of the server's certificate is checked.
enum class VerifyServer {
  full,         ///< who signed it, its time, and that it is of the host that was asked for
  certificate,  ///< not the host's name
  none,         ///< nothing: whoever answers is believed
};

/// Certificates and keys are PEM: the path of a file, or the text itself, which then begins with "-----BEGIN".
struct TlsClientOptions {
  std::vector<std::string> authorities;  ///< who may have signed the server's certificate; none: those of the system
  std::string certificate;               ///< of this client, then those between it and its CA; empty: none
  std::string key;                       ///< of `certificate`, without a passphrase
  VerifyServer verify = VerifyServer::full;
};

/// Whom to trust and who we are; outlives its sessions. Thread-safe.
class TlsClient {
 public:
  /// Fault::invalid names the file and what is wrong with it.
  static Result<std::unique_ptr<TlsClient>> make(const TlsClientOptions& options);
  ~TlsClient();

 private:
  friend class TlsClientSession;
  struct State;
  explicit TlsClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// TLS of one connection. Not thread-safe. After an error it is over.
class TlsClientSession {
 public:
  /// `host` is the name or address that the server's certificate must bear.
  TlsClientSession(const TlsClient& client, const std::string& host);
  ~TlsClientSession();
  /// Goes on with the handshake; true when it is over. Fault::denied when it failed.
  Result<bool> handshake();
  /// Bytes from the network.
  void received(std::string_view bytes);
  /// Plain bytes; 0: more must be received. Faults: absent (the other side ended it in order), denied (damaged, or the
  /// server does not accept this client).
  Result<std::size_t> read(std::span<char> into);
  /// Plain bytes for the other side. Fault::denied before the handshake is over.
  Result<void> write(std::string_view plain);
  /// Appends what must go to the network.
  void take_to_send(std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace enclave::io
