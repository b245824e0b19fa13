#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/time.h"
#include "io/tls_server.h"

/// The server side of HTTP/1.1 (libmicrohttpd; TLS by GnuTLS, which that library brings). Nothing here blocks.
namespace enclave::io {

struct HttpServerOptions {
  std::string host = "127.0.0.1";            ///< as ListenOptions::host
  std::uint16_t port = 0;                    ///< 0: any free one
  std::size_t body_bytes_max = 100 << 20;    ///< a larger one is answered with 413
  std::size_t bodies_bytes_max = 256 << 20;  ///< of all requests at once; beyond it 503
  unsigned connections_max = 1000;
  Nanoseconds idle = std::chrono::seconds(60);  ///< a connection that is silent for so long is closed
  std::string authorization;                    ///< the header that is wanted, "Basic dTpw"; else 401. Empty: any
  std::optional<TlsServerOptions> tls;
};

struct HttpServerRequest {
  std::uint64_t id = 0;
  std::string method, target, version;  ///< "POST", "/a?b=c", "HTTP/1.1"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string address;  ///< of who asks, without its port
  std::uint16_t port = 0;
};

/// Not thread-safe.
class HttpServer {
 public:
  /// Faults: invalid (no address, no certificate), conflict (the port is taken), denied.
  static Result<std::unique_ptr<HttpServer>> open(const HttpServerOptions& options, Files& files);
  ~HttpServer();

  /// Reads and writes what goes now. The requests that are whole since; each waits for its answer.
  std::vector<HttpServerRequest> take();
  using Headers = std::vector<std::pair<std::string, std::string>>;
  /// Of a request that take() gave, once. One whose connection is gone is no matter.
  void respond(std::uint64_t id, unsigned status, const Headers& headers, std::string_view body);

  /// Readable when take() has something to do.
  int descriptor() const;
  std::uint16_t port() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace enclave::io
