#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// An HTTP/1.1 client on libcurl. It takes nothing from the environment: no proxy, no certificate path, no .netrc.
namespace enclave::io {

struct HttpOptions {
  std::string ca_file;      ///< PEM; empty: the certificates of this system
  bool plain_http = false;  ///< also http:// URLs; otherwise they are refused
  enum class Verify : std::uint8_t {
    none,         ///< for people's old files only: anybody can pretend to be the server
    certificate,  ///< signed by an authority that is trusted, whatever its name
    full,         ///< and for the host of the URL
  };
  Verify verify = Verify::full;
  std::string certificate_file = {};  ///< PEM: what the client shows; empty: nothing
  std::string key_file = {};          ///< PEM, of `certificate_file`
  /// URL; empty: none. https:// goes through it by CONNECT, so it sees names of hosts and no more. What it answers to
  /// that itself is an error with its own words: denied when it wants a user (407) or forbids the host (403), else
  /// busy.
  std::string proxy;
  /// For trials that a server refuses old versions: exactly this version is offered, with whatever ciphers it takes.
  enum class Tls : std::uint8_t { secure, only_1_0, only_1_1 };
  Tls tls = Tls::secure;  ///< secure: 1.2 or later
  Nanoseconds connect_within = std::chrono::seconds(10);
  Nanoseconds transfer_within = std::chrono::minutes(10);  ///< the whole exchange
  Nanoseconds stalled_after = std::chrono::seconds(30);    ///< with less than 1 KiB/s for that long it is given up
  std::size_t connections_kept = 8;                        ///< idle ones
};

/// Stands in the text of an error (Fault::busy) when the host, and no proxy, refused the connection.
inline constexpr std::string_view kNothingListens = "nothing listens there";

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  ///< GET, HEAD, PUT, POST, PATCH or DELETE
  std::string url;     ///< sent as it is: the path is not normalised
  HttpHeaders headers;
  std::string_view body;
  std::uint64_t response_bytes_max = 64 << 10;
  /// False: never sent again when the server may have got all of it, also not over a kept connection that it closed
  /// without an answer; busy then.
  bool repeatable = true;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  ///< names in lower case
  std::string body;
  /// "" when there is no such header; `name` in lower case.
  std::string_view header(std::string_view name) const;
};

/// Thread-safe; each call has a connection of its own. TLS 1.2 or later unless told otherwise, certificate and name
/// verified. Redirects are answers like any other. Error answers of up to 64 KiB are given whole whatever
/// `response_bytes_max` says.
class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> make(HttpOptions options);
  virtual ~HttpClient() = default;
  /// Any status is a success. Texts of errors do not name the URL: the caller knows what it wanted there. Faults: busy
  /// (network, time-out, answer cut short), denied (certificate, version of TLS), limit (the body is larger), invalid
  /// (URL or header), unsupported (http:// where it is not allowed). `unsent` becomes true when certainly no server got
  /// the whole request.
  virtual Result<HttpResponse> send(const HttpRequest& request, bool* unsent = nullptr) = 0;
};

}  // namespace enclave::io
