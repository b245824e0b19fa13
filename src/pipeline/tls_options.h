#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/http.h"
#include "io/tls_server.h"

namespace enclave::pipeline {

namespace logstash {
class PluginOptions;
}

/// TLS as a plugin's options ask for it, in whichever of Logstash's vocabularies they were written:
///
///   ssl_enabled                  ssl, ssl_enable, use_ssl
///   ssl_certificate              ssl_cert, client_cert
///   ssl_key                      client_key
///   ssl_certificate_authorities  ssl_cacert, cacert, ssl_ca
///   ssl_verification_mode        ssl_certificate_verification, ssl_certificate_validation, ssl_verify (clients)
///   ssl_client_authentication    ssl_verify_mode, verify_mode, ssl_verify (servers)
///
/// Stores of Java (keystore, truststore, PKCS #12) and keys with a passphrase are mistakes that name the command that
/// makes PEM files of them. Lists of ciphers and versions are warnings: TLS 1.2 and later with OpenSSL's ciphers.
struct TlsOptions {
  enum class Side : std::uint8_t { client, server };
  enum class Verify : std::uint8_t {
    none,         ///< anybody can pretend to be the server; it is said at start
    certificate,  ///< signed by an authority that is trusted, whatever its name
    full,         ///< and for the name that was connected to
  };

  bool enabled = false;
  std::string certificate_file;       ///< PEM; of a server its own, of a client the one that it shows, or empty
  std::string key_file;               ///< PEM; empty together with certificate_file
  std::vector<std::string> ca_files;  ///< PEM; empty: those of this system
  Verify verify = Verify::full;       ///< of a client: whom it trusts
  io::ClientCertificate client = io::ClientCertificate::none;  ///< of a server: whom it lets in

  io::TlsServerOptions server() const { return {certificate_file, key_file, ca_files, client}; }
  /// Fills what an HTTP client takes. Fault::unsupported for more than one file of authorities.
  Result<void> apply(io::HttpOptions& http) const;
};

/// What a plugin has when its options are silent.
struct TlsDefaults {
  /// none: on when any other option of TLS is set, as plugins with URLs have it.
  std::optional<bool> enabled = false;
  io::ClientCertificate client = io::ClientCertificate::none;
  TlsOptions::Verify verify = TlsOptions::Verify::full;
};

/// Reads them all and reports each mistake to `options`: one vocabulary against the other, a certificate without its
/// key, a server without a certificate, one that wants clients' certificates without an authority. The files are not
/// looked at.
TlsOptions read_tls_options(logstash::PluginOptions& options, TlsOptions::Side side, const TlsDefaults& defaults = {});

}  // namespace enclave::pipeline
