#include "io/tls_client.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace enclave::io {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(BIO* bytes) const { BIO_free(bytes); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

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

bool is_text(const std::string& pem) { return pem.find("-----BEGIN") != std::string::npos; }

/// A text in the configuration may be a key: it is not repeated.
std::string shown(const std::string& pem) { return is_text(pem) ? "the text in the configuration" : pem; }

Owned<BIO> open_pem(const std::string& pem) {
  return Owned<BIO>(is_text(pem) ? BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))
                                 : BIO_new_file(pem.c_str(), "r"));
}

Error wrong(const std::string& pem, std::string_view what) {
  return Error{Fault::invalid, "{}: {}: {}", shown(pem), what, reason()};
}

Result<void> trust(SSL_CTX* context, const std::string& pem) {
  const auto bytes = open_pem(pem);
  int found = 0;
  while (bytes != nullptr) {
    const Owned<X509> one(PEM_read_bio_X509(bytes.get(), nullptr, no_passphrase, nullptr));
    if (one == nullptr || X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1) break;
    ++found;
  }
  if (found == 0) return wrong(pem, "no certificate (PEM) of an authority can be read");
  ERR_clear_error();
  return {};
}

Result<void> present(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  const auto bytes = open_pem(certificate);
  const Owned<X509> own(bytes == nullptr ? nullptr : PEM_read_bio_X509(bytes.get(), nullptr, no_passphrase, nullptr));
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1)
    return wrong(certificate, "not a certificate (PEM) that can be used");
  while (X509* between = PEM_read_bio_X509(bytes.get(), nullptr, no_passphrase, nullptr))
    if (SSL_CTX_add0_chain_cert(context, between) != 1) X509_free(between);
  ERR_clear_error();
  const auto key_bytes = open_pem(key);
  const Owned<EVP_PKEY> own_key(
      key_bytes == nullptr ? nullptr : PEM_read_bio_PrivateKey(key_bytes.get(), nullptr, no_passphrase, nullptr));
  if (own_key == nullptr || SSL_CTX_use_PrivateKey(context, own_key.get()) != 1)
    return wrong(key, fmt::format("not the private key (PEM) of {}", shown(certificate)));
  return {};
}

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  if (address == nullptr) return false;
  ASN1_OCTET_STRING_free(address);
  return true;
}

}  // namespace

struct TlsClient::State {
  Owned<SSL_CTX> context{SSL_CTX_new(TLS_client_method())};
  VerifyServer verify = VerifyServer::full;
};

TlsClient::TlsClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsClient::~TlsClient() = default;

Result<std::unique_ptr<TlsClient>> TlsClient::make(const TlsClientOptions& options) {
  auto state = std::make_unique<State>();
  state->verify = options.verify;
  SSL_CTX* context = state->context.get();
  ENSURE(context != nullptr && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ERR_clear_error();
  if (options.authorities.empty() && options.verify != VerifyServer::none &&
      SSL_CTX_set_default_verify_paths(context) != 1)
    return Error{Fault::invalid, "the system's certificate authorities cannot be read: {}", reason()};
  for (const auto& pem : options.authorities) TRY(trust(context, pem));
  if (!options.certificate.empty()) TRY(present(context, options.certificate, options.key));
  SSL_CTX_set_verify(context, options.verify == VerifyServer::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(state)));
}

struct TlsClientSession::State {
  Owned<SSL> session;
  BIO* in = nullptr;   ///< owned by the session
  BIO* out = nullptr;  ///< owned by the session
  std::string host;

  Error failed(int error) const {
    if (error == SSL_ERROR_ZERO_RETURN) return Error{Fault::absent, "the other side ended the connection"};
    const long verified = SSL_get_verify_result(session.get());
    std::string why = reason();
    if (SSL_get_verify_mode(session.get()) != SSL_VERIFY_NONE && verified != X509_V_OK)
      why += fmt::format(" ({} does not show a certificate that can be trusted: {})", host,
                         X509_verify_cert_error_string(verified));
    return Error{Fault::denied, "TLS: {}", why};
  }
};

TlsClientSession::TlsClientSession(const TlsClient& client, const std::string& host)
    : state_(std::make_unique<State>()) {
  state_->host = host;
  state_->session.reset(SSL_new(client.state_->context.get()));
  SSL* session = state_->session.get();
  state_->in = BIO_new(BIO_s_mem());
  state_->out = BIO_new(BIO_s_mem());
  ENSURE(session != nullptr && state_->in != nullptr && state_->out != nullptr);
  SSL_set_bio(session, state_->in, state_->out);
  SSL_set_connect_state(session);
  const bool address = is_address(host);
  if (!address) ENSURE(SSL_set_tlsext_host_name(session, host.c_str()) == 1);
  if (client.state_->verify != VerifyServer::full) return;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(session);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  ENSURE(address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                 : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) == 1);
}
TlsClientSession::~TlsClientSession() = default;

Result<bool> TlsClientSession::handshake() {
  ERR_clear_error();
  const int code = SSL_do_handshake(state_->session.get());
  if (code == 1) return true;
  const int error = SSL_get_error(state_->session.get(), code);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  return state_->failed(error);
}

void TlsClientSession::received(std::string_view bytes) {
  ENSURE(BIO_write(state_->in, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
}

Result<std::size_t> TlsClientSession::read(std::span<char> into) {
  ERR_clear_error();
  std::size_t got = 0;
  const int code = SSL_read_ex(state_->session.get(), into.data(), into.size(), &got);
  if (code == 1) return got;
  const int error = SSL_get_error(state_->session.get(), code);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return std::size_t{0};
  return state_->failed(error);
}

Result<void> TlsClientSession::write(std::string_view plain) {
  ERR_clear_error();
  std::size_t written = 0;
  // The other end is memory: all of it goes, or the handshake is not over.
  if (SSL_write_ex(state_->session.get(), plain.data(), plain.size(), &written) == 1) return {};
  return Error{Fault::denied, "TLS: {}", reason()};
}

void TlsClientSession::take_to_send(std::string& out) {
  char* bytes = nullptr;
  const long waiting = BIO_get_mem_data(state_->out, &bytes);
  if (waiting <= 0) return;
  out.append(bytes, static_cast<std::size_t>(waiting));
  (void)BIO_reset(state_->out);
}

}  // namespace enclave::io
