#include "io/http_server.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <cstring>

#include "base/files.h"
#include "io/posix.h"

namespace enclave::io {
namespace {

constexpr std::size_t kMemoryOfConnection = 32 * 1024, kPemBytesMax = 1 << 20;
constexpr unsigned kBadRequest = 400;

struct Exchange {
  HttpServerRequest request;
  MHD_Connection* connection = nullptr;
  unsigned status = 0;  ///< of the answer; 0: there is none yet
  HttpServer::Headers headers;
  std::string answer;
  bool refused = false;  ///< its body is not kept
  bool whole = false;
};

bool is_equal_secret(std::string_view one, std::string_view other) {
  unsigned char difference = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < one.size() && i < other.size(); ++i)
    difference = static_cast<unsigned char>(difference | (one[i] ^ other[i]));
  return difference == 0;
}

MHD_Result take_header(void* into, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  static_cast<Exchange*>(into)->request.headers.emplace_back(name, value == nullptr ? "" : value);
  return MHD_YES;
}

void describe_peer(MHD_Connection* connection, HttpServerRequest& request) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return;
  const bool v6 = info->client_addr->sa_family == AF_INET6;
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(info->client_addr, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in), text.data(), text.size(),
                    nullptr, 0, NI_NUMERICHOST) != 0)
    return;
  const std::string_view address = text.data();
  constexpr std::string_view kMapped = "::ffff:";
  request.address = address.starts_with(kMapped) ? address.substr(kMapped.size()) : address;
  request.port = ntohs(v6 ? reinterpret_cast<const sockaddr_in6*>(info->client_addr)->sin6_port
                          : reinterpret_cast<const sockaddr_in*>(info->client_addr)->sin_port);
}

/// Whether the client's certificate is what was asked for.
bool is_trusted(MHD_Connection* connection, ClientCertificate wanted) {
  if (wanted == ClientCertificate::none) return true;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == nullptr) return false;
  auto* const session = static_cast<gnutls_session_t>(info->tls_session);
  unsigned count = 0;
  if (gnutls_certificate_get_peers(session, &count) == nullptr || count == 0)
    return wanted == ClientCertificate::optional;
  unsigned status = 0;
  return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

}  // namespace

struct HttpServer::State {
  HttpServerOptions options;
  MHD_Daemon* daemon = nullptr;
  std::string certificate, key, authorities;
  std::map<std::uint64_t, std::unique_ptr<Exchange>> exchanges;
  std::vector<Exchange*> whole;
  std::size_t buffered = 0;
  std::uint64_t next_id = 1;

  ~State() {
    if (daemon == nullptr) return;
    for (auto& [id, exchange] : exchanges)
      if (exchange->whole && exchange->status == 0) MHD_resume_connection(exchange->connection);
    MHD_stop_daemon(daemon);
  }

  static MHD_Result answer(MHD_Connection* connection, unsigned status, const Headers& headers, std::string_view body) {
    std::string copied(body);
    MHD_Response* const response = MHD_create_response_from_buffer(copied.size(), copied.data(), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    for (const auto& [name, value] : headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
  }

  MHD_Result begin(MHD_Connection* connection, const char* target, const char* method, const char* version,
                   void** place) {
    auto exchange = std::make_unique<Exchange>();
    exchange->connection = connection;
    HttpServerRequest& request = exchange->request;
    request.id = next_id++;
    request.method = method;
    request.target = target;
    request.version = version;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, exchange.get());
    describe_peer(connection, request);
    *place = exchange.get();
    Exchange& kept = *exchange;
    exchanges.emplace(request.id, std::move(exchange));
    if (options.tls && !is_trusted(connection, options.tls->client))
      return answer(connection, MHD_HTTP_FORBIDDEN, {}, "a certificate is wanted\n");
    const char* const shown = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    if (!options.authorization.empty() && !is_equal_secret(shown == nullptr ? "" : shown, options.authorization))
      return answer(connection, MHD_HTTP_UNAUTHORIZED, {{"WWW-Authenticate", "Basic realm=\"enclave\""}}, "");
    const char* const length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    std::uint64_t bytes = 0;
    if (length != nullptr) std::from_chars(length, length + std::strlen(length), bytes);
    if (bytes > options.body_bytes_max)
      return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE, {}, "the body is too large\n");
    kept.refused = false;
    return MHD_YES;
  }

  void keep(Exchange& exchange, std::string_view part) {
    std::string& body = exchange.request.body;
    if (exchange.refused) return;
    const bool large = body.size() + part.size() > options.body_bytes_max;
    if (large || buffered + part.size() > options.bodies_bytes_max) {
      exchange.refused = true;
      exchange.status = large ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_SERVICE_UNAVAILABLE;
      buffered -= body.size();
      body = {};
      return;
    }
    body += part;
    buffered += part.size();
  }

  MHD_Result go_on(Exchange& exchange, const char* data, std::size_t* bytes) {
    if (*bytes > 0) {
      keep(exchange, {data, *bytes});
      *bytes = 0;
      return MHD_YES;
    }
    if (exchange.status != 0) return answer(exchange.connection, exchange.status, exchange.headers, exchange.answer);
    if (exchange.whole) return MHD_YES;
    exchange.whole = true;
    whole.push_back(&exchange);
    MHD_suspend_connection(exchange.connection);
    return MHD_YES;
  }

  static MHD_Result on_access(void* self, MHD_Connection* connection, const char* target, const char* method,
                              const char* version, const char* data, std::size_t* bytes, void** place) {
    auto& state = *static_cast<State*>(self);
    if (*place == nullptr) return state.begin(connection, target, method, version, place);
    return state.go_on(*static_cast<Exchange*>(*place), data, bytes);
  }

  static void on_completed(void* self, MHD_Connection* /*connection*/, void** place,
                           MHD_RequestTerminationCode /*why*/) {
    auto& state = *static_cast<State*>(self);
    auto* const exchange = static_cast<Exchange*>(*place);
    if (exchange == nullptr) return;
    *place = nullptr;
    state.buffered -= exchange->request.body.size();
    std::erase(state.whole, exchange);
    state.exchanges.erase(exchange->request.id);
  }

  Result<void> read_tls(Files& files) {
    certificate = TRY(read_file(files, options.tls->certificate_file, kPemBytesMax));
    key = TRY(read_file(files, options.tls->key_file, kPemBytesMax));
    for (const auto& file : options.tls->ca_files) authorities += TRY(read_file(files, file, kPemBytesMax)) + "\n";
    return {};
  }
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpServerOptions& options, Files& files) {
  auto state = std::make_unique<State>();
  state->options = options;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
  if (::getaddrinfo(host.c_str(), std::to_string(options.port).c_str(), &hints, &found) != 0 || found == nullptr)
    return Error{Fault::invalid, "\"{}\" is not an address to listen on; write one such as 127.0.0.1 or 0.0.0.0", host};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> address(found, ::freeaddrinfo);
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  if (found->ai_family == AF_INET6) flags |= MHD_USE_IPv6 | MHD_USE_DUAL_STACK;
  std::vector<MHD_OptionItem> items;
  const auto add_text = [&items](MHD_OPTION option, std::string& text) { items.push_back({option, 0, text.data()}); };
  std::string priorities = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1";
  if (options.tls) {
    TRY(state->read_tls(files));
    flags |= MHD_USE_TLS;
    add_text(MHD_OPTION_HTTPS_MEM_CERT, state->certificate);
    add_text(MHD_OPTION_HTTPS_MEM_KEY, state->key);
    add_text(MHD_OPTION_HTTPS_PRIORITIES, priorities);
    if (!state->authorities.empty()) add_text(MHD_OPTION_HTTPS_MEM_TRUST, state->authorities);
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  const auto idle = std::chrono::duration_cast<std::chrono::seconds>(options.idle).count();
  errno = 0;
  state->daemon = MHD_start_daemon(
      flags, options.port, nullptr, nullptr, &State::on_access, state.get(), MHD_OPTION_SOCK_ADDR, found->ai_addr,
      MHD_OPTION_NOTIFY_COMPLETED, &State::on_completed, state.get(), MHD_OPTION_CONNECTION_LIMIT,
      options.connections_max, MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(idle),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMemoryOfConnection, MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (state->daemon == nullptr) {
    const std::string name = fmt::format("{} port {}", options.host, options.port);
    if (errno == EADDRINUSE)
      return Error{Fault::conflict, "{}: another program listens there already; stop it or take another port", name};
    if (errno == 0 || options.tls)
      return Error{Fault::invalid, "{}: cannot listen; look at the certificate {} and its key", name,
                   options.tls ? options.tls->certificate_file : ""};
    return system_error(errno, name, "listen");
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

std::vector<HttpServerRequest> HttpServer::take() {
  MHD_run(state_->daemon);
  std::vector<HttpServerRequest> requests;
  for (Exchange* exchange : state_->whole) {
    state_->buffered -= exchange->request.body.size();
    const std::uint64_t id = exchange->request.id;
    requests.push_back(std::move(exchange->request));
    exchange->request = {};
    exchange->request.id = id;
  }
  state_->whole.clear();
  return requests;
}

void HttpServer::respond(std::uint64_t id, unsigned status, const Headers& headers, std::string_view body) {
  const auto found = state_->exchanges.find(id);
  if (found == state_->exchanges.end() || found->second->status != 0) return;
  Exchange& exchange = *found->second;
  exchange.status = status == 0 ? kBadRequest : status;
  exchange.headers = headers;
  exchange.answer = body;
  MHD_resume_connection(exchange.connection);
  MHD_run(state_->daemon);
}

int HttpServer::descriptor() const {
  const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info == nullptr ? -1 : info->epoll_fd;
}

std::uint16_t HttpServer::port() const {
  const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info == nullptr ? std::uint16_t{0} : info->port;
}

}  // namespace enclave::io
