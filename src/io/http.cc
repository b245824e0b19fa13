#include "io/http.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>

namespace enclave::io {
namespace {

constexpr std::uint64_t kErrorBodyMax = 64 << 10;
constexpr std::size_t kHeaderBytesMax = 64 << 10;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

// A handle, and the socket of its connection.
struct Connection {
  Handle handle;
  std::unique_ptr<int> socket = std::make_unique<int>(-1);
};

int note_socket(void* user, curl_socket_t socket, curlsocktype /*purpose*/) {
  *static_cast<int*>(user) = socket;
  return CURL_SOCKOPT_OK;
}

// Servers that send the body behind the headers, and do not switch Nagle's algorithm off, wait for our acknowledgement
// of the headers, which the kernel would hold back for 40 ms.
void acknowledge_now(int socket) {
  const int on = 1;
  if (socket >= 0) (void)::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

// One exchange, as curl's callbacks see it. They must not throw through C code.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response;
  std::size_t sent = 0;
  std::size_t header_bytes = 0;
  bool too_large = false;
  const int* socket = nullptr;
  std::string error = std::string(CURL_ERROR_SIZE, '\0');
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::size_t take_header(const char* data, std::size_t size, std::size_t count, void* user) try {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kHeaderBytesMax) return 0;
  if (line == "\r\n") acknowledge_now(*exchange.socket);
  // An interim answer (100 Continue) came before: only the last one counts.
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();
    const auto space = line.find(' ');
    exchange.response.status = 0;
    if (space != std::string_view::npos)
      for (const char c : line.substr(space + 1, 3))
        if (c >= '0' && c <= '9') exchange.response.status = exchange.response.status * 10 + (c - '0');
    return line.size();
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(trimmed(line.substr(0, colon)));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const std::string_view value = trimmed(line.substr(colon + 1));
    // Growing bit by bit would copy a large body several times.
    if (name == "content-length") {
      std::uint64_t bytes = 0;
      const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), bytes);
      constexpr std::uint64_t kReservedMax = 64 << 20;
      const bool large = wrong == std::errc() && exchange.request.method == "GET" && bytes > kErrorBodyMax;
      if (large) exchange.response.body.reserve(std::min({bytes, exchange.request.response_bytes_max, kReservedMax}));
    }
    exchange.response.headers.emplace_back(std::move(name), value);
  }
  return line.size();
} catch (...) {
  return 0;
}

std::size_t take_body(const char* data, std::size_t size, std::size_t count, void* user) try {
  auto& exchange = *static_cast<Exchange*>(user);
  std::uint64_t most = exchange.request.response_bytes_max;
  if (exchange.response.status >= 300) most = std::max(most, kErrorBodyMax);
  const std::size_t bytes = size * count;
  if (bytes > most - exchange.response.body.size()) {
    exchange.too_large = true;
    return 0;
  }
  exchange.response.body.append(data, bytes);
  return bytes;
} catch (...) {
  return 0;
}

std::size_t give_body(char* into, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::size_t bytes = std::min(size * count, exchange.request.body.size() - exchange.sent);
  std::memcpy(into, exchange.request.body.data() + exchange.sent, bytes);
  exchange.sent += bytes;
  return bytes;
}

// curl goes back to the start when a kept connection turns out to be closed.
int rewind_body(void* user, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(user);
  // Or it was not closed before the request came, but after it was done.
  if (!exchange.request.repeatable && exchange.sent > 0) return CURL_SEEKFUNC_FAIL;
  if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > exchange.request.body.size())
    return CURL_SEEKFUNC_FAIL;
  exchange.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

long milliseconds_of(Nanoseconds duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

// A handshake that the other side refused, not one that was cut.
bool is_refused_handshake(CURLcode code, std::string_view told) {
  if (code != CURLE_SSL_CONNECT_ERROR) return false;
  for (const std::string_view sign :
       {"alert", "unsupported protocol", "no protocols", "wrong version", "handshake fail"})
    if (told.find(sign) != std::string_view::npos) return true;
  return false;
}

Fault fault_of(CURLcode code, std::string_view told) {
  if (is_refused_handshake(code, told)) return Fault::denied;
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Fault::invalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Fault::denied;
    default:
      return Fault::busy;
  }
}

std::string_view advice_for(CURLcode code, std::string_view told) {
  if (told.find("wrong version number") != std::string_view::npos)
    return "; that port does not speak TLS: give the port that speaks https";
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "; give the certificate of the authority that signed the server's as ca_file, and the name that stands in "
             "it as the endpoint";
    case CURLE_SSL_CACERT_BADFILE:
      return "; ca_file must be a readable file of PEM certificates";
    default:
      return "";
  }
}

bool is_unsent(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_SEND_ERROR:
      return true;
    default:
      return false;
  }
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpOptions options) : options_(std::move(options)) {}

  Result<HttpResponse> send(const HttpRequest& request, bool* unsent) override {
    TRY(check_scheme(request.url));
    CURLcode code = CURLE_OK;
    auto response = exchanged(request, false, code);
    // The server closed a kept connection while the request was on its way: it cannot have got all of it.
    if (code == CURLE_SEND_ERROR) response = exchanged(request, true, code);
    if (unsent != nullptr) *unsent = is_unsent(code);
    return response;
  }

 private:
  Result<void> check_scheme(std::string_view url) const {
    if (url.starts_with("https://") || (options_.plain_http && url.starts_with("http://"))) return {};
    if (url.find("://") == std::string_view::npos) return Error{Fault::invalid, "\"{}\" is not a URL", url};
    return Error{Fault::unsupported, "{}: only https:// is allowed here", url};
  }

  Result<HttpResponse> exchanged(const HttpRequest& request, bool fresh, CURLcode& code) {
    Connection connection = taken();
    Handle& handle = connection.handle;
    if (!handle) return Error{Fault::limit, "no memory for a connection"};
    Exchange exchange{.request = request, .response = {}};
    List headers;
    exchange.socket = connection.socket.get();
    curl_easy_setopt(handle.get(), CURLOPT_SOCKOPTFUNCTION, note_socket);
    curl_easy_setopt(handle.get(), CURLOPT_SOCKOPTDATA, connection.socket.get());
    TRY(prepare(handle.get(), exchange, headers));
    // Without a body there is nothing to go back in, and nobody would ask us before it is sent again.
    const bool unasked = !request.repeatable && request.body.empty();
    curl_easy_setopt(handle.get(), CURLOPT_FRESH_CONNECT, fresh || unasked ? 1L : 0L);
    code = curl_easy_perform(handle.get());
    if (code == CURLE_OK) {
      give_back(std::move(connection));
      return std::move(exchange.response);
    }
    if (exchange.too_large) return Error{Fault::limit, "the answer has more than {} bytes", request.response_bytes_max};
    const std::string_view told = exchange.error.c_str();
    if (!options_.proxy.empty())
      if (auto refused = refused_by_proxy(handle.get(), code, told)) return std::move(*refused);
    long os_error = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_OS_ERRNO, &os_error);
    const bool nobody = code == CURLE_COULDNT_CONNECT && os_error == ECONNREFUSED && options_.proxy.empty();
    return Error{fault_of(code, told),
                 "{}{}{}{}",
                 told.empty() ? curl_easy_strerror(code) : told,
                 nobody ? "; " : "",
                 nobody ? kNothingListens : "",
                 advice_for(code, told)};
  }

  // A proxy that does not connect us has not sent anything on.
  static std::optional<Error> refused_by_proxy(CURL* handle, CURLcode& code, std::string_view told) {
    if (told.find("wrong version number") != std::string_view::npos)
      return Error{Fault::denied,
                   "{}; what answers behind the proxy does not speak TLS: the proxy may answer itself (a "
                   "captive portal), or the endpoint's port is another",
                   told};
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status == 0 || (status >= 200 && status < 300)) return std::nullopt;
    code = CURLE_COULDNT_CONNECT;
    const std::string text = fmt::format("the proxy answered {} itself and did not connect", status);
    if (status == 407) return Error{Fault::denied, "{}; it wants a user and a password, which is not supported", text};
    if (status == 403) return Error{Fault::denied, "{}; it forbids this host or port: ask who runs it", text};
    if (status == 511 || (status >= 300 && status < 400))
      return Error{Fault::busy, "{}; this looks like a captive portal: log in there first", text};
    return Error{Fault::busy, "{}; it may not reach the server, or be none: check the proxy's address", text};
  }

  Connection taken() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Connection connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return Connection{.handle = Handle(curl_easy_init())};
  }

  void give_back(Connection connection) {
    // Forgets the request, and keeps the connection.
    curl_easy_reset(connection.handle.get());
    const std::lock_guard lock(mutex_);
    if (idle_.size() < options_.connections_kept) idle_.push_back(std::move(connection));
  }

  Result<void> prepare(CURL* curl, Exchange& exchange, List& headers) const {
    const HttpRequest& request = exchange.request;
    for (const auto& [name, value] : request.headers) {
      const bool clean = (name + value).find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
      if (!clean || name.empty()) return Error{Fault::invalid, "the header {} holds a line break", name};
      TRY(append(headers, value.empty() ? name + ";" : fmt::format("{}: {}", name, value)));
    }
    // Waiting for "100 Continue" costs a second with servers that do not know it.
    TRY(append(headers, "Expect:"));
    // Without it some servers (Swift, for versions) wait for a body that never comes.
    if (request.method == "DELETE" && request.body.empty()) TRY(append(headers, "Content-Length: 0"));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options_.plain_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    // An empty proxy also keeps curl from asking the environment.
    curl_easy_setopt(curl, CURLOPT_PROXY, options_.proxy.c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    set_tls(curl);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds_of(options_.connect_within));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds_of(options_.transfer_within));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, milliseconds_of(options_.stalled_after) / 1000));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange.error.data());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    return set_method(curl, exchange);
  }

  void set_tls(CURL* curl) const {
    using Verify = HttpOptions::Verify;
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options_.verify == Verify::none ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options_.verify == Verify::full ? 2L : 0L);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }
    if (!options_.certificate_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_SSLCERT, options_.certificate_file.c_str());
      curl_easy_setopt(curl, CURLOPT_SSLKEY, options_.key_file.c_str());
    }
    // curl's CURL_SSLVERSION_MAX_… are the plain ones, shifted; its enumeration is too narrow to name them in C++.
    const auto only = [](long version) { return version | version << 16; };
    long version = CURL_SSLVERSION_TLSv1_2;
    if (options_.tls == HttpOptions::Tls::only_1_0) version = only(CURL_SSLVERSION_TLSv1_0);
    if (options_.tls == HttpOptions::Tls::only_1_1) version = only(CURL_SSLVERSION_TLSv1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, version);
    // OpenSSL's own level forbids the digests of these versions: the trial would fail here and prove nothing.
    if (options_.tls != HttpOptions::Tls::secure) curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
  }

  static Result<void> append(List& headers, const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return Error{Fault::limit, "no memory for a header"};
    (void)headers.release();
    headers.reset(longer);
    return {};
  }

  static Result<void> set_method(CURL* curl, Exchange& exchange) {
    const HttpRequest& request = exchange.request;
    if (request.method == "HEAD") {
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.method == "GET") {
      curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else if (request.method == "PUT" || request.method == "POST" || request.method == "PATCH" ||
               !request.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
      curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
      curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
      curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
      curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
    } else if (request.method == "DELETE") {
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    } else {
      return Error{Fault::invalid, "the HTTP method \"{}\" is not known", request.method};
    }
    return {};
  }

  const HttpOptions options_;
  std::mutex mutex_;
  std::vector<Connection> idle_;
};

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

Result<std::unique_ptr<HttpClient>> HttpClient::make(HttpOptions options) {
  // Not thread-safe in itself; a static initialiser is.
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (ready != CURLE_OK) return Error{Fault::unsupported, "libcurl cannot be used: {}", curl_easy_strerror(ready)};
  return std::unique_ptr<HttpClient>(std::make_unique<CurlClient>(std::move(options)));
}

}  // namespace enclave::io
