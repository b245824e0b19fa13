#include "io/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace enclave::io {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* memory) const { BIO_free(memory); }
};

/// The newest reason on OpenSSL's queue, which is emptied.
std::string reason() {
  const auto code = ERR_peek_last_error();
  const char* text = ERR_reason_error_string(code);
  std::string found = text != nullptr ? text : "no reason given";
  if (found.find("password") != std::string::npos || found.find("cancelled") != std::string::npos)
    found = "it needs a passphrase; give a key without one";
  ERR_clear_error();
  return found;
}

int no_passphrase(char* /*into*/, int /*bytes*/, int /*writing*/, void* /*nothing*/) { return 0; }

}  // namespace

struct TlsServer::State {
  std::unique_ptr<SSL_CTX, Free> context{SSL_CTX_new(TLS_server_method())};
};

TlsServer::TlsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::make(const TlsServerOptions& options) {
  auto state = std::make_unique<State>();
  SSL_CTX* context = state->context.get();
  ENSURE(context != nullptr && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(
      context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Thousands of idle connections must not hold 34 KiB each.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  ERR_clear_error();
  const auto wrong = [](std::string_view file, std::string_view what) {
    return Error{Fault::invalid, "{}: {}: {}", file, what, reason()};
  };
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    return wrong(options.certificate_file, "not a certificate (PEM) that can be used");
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return wrong(options.key_file, fmt::format("not the private key (PEM) of {}", options.certificate_file));
  auto* names = sk_X509_NAME_new_null();
  for (const auto& file : options.ca_files) {
    if (SSL_CTX_load_verify_file(context, file.c_str()) != 1 ||
        SSL_add_file_cert_subjects_to_stack(names, file.c_str()) != 1) {
      sk_X509_NAME_pop_free(names, X509_NAME_free);
      return wrong(file, "no certificate (PEM) of an authority can be read");
    }
  }
  SSL_CTX_set_client_CA_list(context, names);  // takes them
  const int verify = options.client == ClientCertificate::none ? SSL_VERIFY_NONE
                     : options.client == ClientCertificate::optional
                         ? SSL_VERIFY_PEER
                         : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, verify, nullptr);
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(state)));
}

struct TlsSession::State {
  std::unique_ptr<SSL, Free> session;
  BIO* in = nullptr;   ///< owned by the session
  BIO* out = nullptr;  ///< owned by the session
};

TlsSession::TlsSession(const TlsServer& server) : state_(std::make_unique<State>()) {
  state_->session.reset(SSL_new(server.state_->context.get()));
  state_->in = BIO_new(BIO_s_mem());
  state_->out = BIO_new(BIO_s_mem());
  ENSURE(state_->session != nullptr && state_->in != nullptr && state_->out != nullptr);
  SSL_set_bio(state_->session.get(), state_->in, state_->out);
  SSL_set_accept_state(state_->session.get());
}
TlsSession::~TlsSession() = default;

void TlsSession::received(std::string_view bytes) {
  ENSURE(BIO_write(state_->in, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
}

Result<std::size_t> TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  const int code = SSL_read_ex(state_->session.get(), into.data(), into.size(), &got);
  if (code == 1) return got;
  const int error = SSL_get_error(state_->session.get(), code);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return std::size_t{0};
  if (error == SSL_ERROR_ZERO_RETURN) return Error{Fault::absent, "the other side ended the connection"};
  const long verified = SSL_get_verify_result(state_->session.get());
  std::string why = reason();
  if (verified != X509_V_OK) why += fmt::format(" ({})", X509_verify_cert_error_string(verified));
  return Error{Fault::denied, "TLS: {}", why};
}

Result<void> TlsSession::write(std::string_view plain) {
  ERR_clear_error();
  std::size_t written = 0;
  // The other end is memory: all of it goes, or the handshake is not over.
  if (SSL_write_ex(state_->session.get(), plain.data(), plain.size(), &written) == 1) return {};
  return Error{Fault::denied, "TLS: {}", reason()};
}

std::string TlsSession::peer_name() const {
  const std::unique_ptr<X509, Free> shown(SSL_get1_peer_certificate(state_->session.get()));
  if (shown == nullptr || SSL_get_verify_result(state_->session.get()) != X509_V_OK) return {};
  const std::unique_ptr<BIO, Free> text(BIO_new(BIO_s_mem()));
  ENSURE(text != nullptr);
  if (X509_NAME_print_ex(text.get(), X509_get_subject_name(shown.get()), 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(text.get(), &bytes);
  return length > 0 ? std::string(bytes, static_cast<std::size_t>(length)) : std::string();
}

void TlsSession::take_to_send(std::string& out) {
  char* bytes = nullptr;
  const long waiting = BIO_get_mem_data(state_->out, &bytes);
  if (waiting <= 0) return;
  out.append(bytes, static_cast<std::size_t>(waiting));
  (void)BIO_reset(state_->out);
}

}  // namespace enclave::io
