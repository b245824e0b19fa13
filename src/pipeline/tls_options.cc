#include "pipeline/tls_options.h"

#include <fmt/format.h>

#include <span>

#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using logstash::PluginOptions;
using Names = std::span<const std::string_view>;

// The newest name first.
constexpr std::string_view kEnabled[] = {"ssl_enabled", "ssl_enable", "ssl", "use_ssl"};
constexpr std::string_view kCertificate[] = {"ssl_certificate", "ssl_cert", "client_cert"};
constexpr std::string_view kKey[] = {"ssl_key", "client_key"};
constexpr std::string_view kAuthorities[] = {"ssl_certificate_authorities", "ssl_cacert", "cacert", "ssl_ca"};
constexpr std::string_view kVerify[] = {"ssl_verification_mode", "ssl_certificate_verification",
                                        "ssl_certificate_validation"};
constexpr std::string_view kClient[] = {"ssl_client_authentication", "ssl_verify_mode", "verify_mode"};

constexpr std::string_view kStores[] = {"ssl_keystore_path",   "ssl_keystore_password",
                                        "ssl_keystore_type",   "keystore",
                                        "keystore_password",   "keystore_type",
                                        "ssl_truststore_path", "ssl_truststore_password",
                                        "ssl_truststore_type", "truststore",
                                        "truststore_password", "truststore_type"};
constexpr std::string_view kVersions[] = {"ssl_cipher_suites", "ssl_supported_protocols", "cipher_suites",
                                          "tls_min_version", "tls_max_version"};

/// Makes it known without a word to the user.
void know(PluginOptions& options, std::string_view name) { (void)options.plugin_value(name); }

/// The name of this list that is set; all of them become known. Two that are set are a mistake.
std::optional<std::string_view> set_name(PluginOptions& options, Names names) {
  std::optional<std::string_view> found;
  for (const std::string_view name : names) {
    know(options, name);
    if (!options.has(name)) continue;
    if (found)
      options.mistake(name, fmt::format("{} and {} say the same; keep {}", *found, name, *found));
    else
      found = name;
  }
  return found;
}

std::string text_of(PluginOptions& options, Names names) {
  const auto name = set_name(options, names);
  return name ? options.text(*name) : "";
}

bool is_word(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

TlsOptions::Verify verify_of(PluginOptions& options, std::string_view name) {
  const std::string word = options.text(name);
  if (is_word(word, {"none", "false"})) return TlsOptions::Verify::none;
  if (word == "certificate") return TlsOptions::Verify::certificate;
  if (!is_word(word, {"full", "true", "strict"}))
    options.mistake(name, fmt::format("\"{}\" is not one of full, certificate, none", word));
  return TlsOptions::Verify::full;
}

io::ClientCertificate client_of(PluginOptions& options, std::string_view name) {
  const std::string word = options.text(name);
  if (is_word(word, {"required", "force_peer"})) return io::ClientCertificate::required;
  if (is_word(word, {"optional", "peer"})) return io::ClientCertificate::optional;
  if (word != "none") options.mistake(name, fmt::format("\"{}\" is not one of none, optional, required", word));
  return io::ClientCertificate::none;
}

void refuse_what_is_not_offered(PluginOptions& options) {
  for (const auto name : kStores) {
    know(options, name);
    if (!options.has(name)) continue;
    options.mistake(name,
                    "stores of Java and PKCS #12 are not read; make PEM files of them: openssl pkcs12 -in STORE -nodes "
                    "-out FILE (a store of type JKS first with keytool -importkeystore -deststoretype pkcs12)");
  }
  if (options.has("ssl_key_passphrase"))
    options.mistake("ssl_key_passphrase",
                    "a key with a passphrase is not read; write it without: openssl pkey -in KEY -out NEW, mode 0600");
  know(options, "ssl_key_passphrase");
  for (const auto name : kVersions)
    options.ignored(name, "has no effect: TLS 1.2 and later is spoken, with the ciphers of OpenSSL");
  for (const auto name : {"ssl_extra_chain_certs", "ca_trusted_fingerprint"}) {
    if (options.has(name))
      options.mistake(name, name == std::string_view("ca_trusted_fingerprint")
                                ? "is not offered; give the authority's certificate as ssl_certificate_authorities"
                                : "is not offered; append these certificates to the file of ssl_certificate");
    know(options, name);
  }
  know(options, "ssl_handshake_timeout");
}

bool any_is_set(PluginOptions& options) {
  for (const Names names : {Names(kCertificate), Names(kKey), Names(kAuthorities), Names(kVerify), Names(kClient)})
    for (const auto name : names)
      if (options.has(name)) return true;
  return false;
}

void check(PluginOptions& options, TlsOptions::Side side, const TlsOptions& tls) {
  if (tls.certificate_file.empty() != tls.key_file.empty())
    options.mistake(tls.key_file.empty() ? "ssl_certificate" : "ssl_key",
                    tls.key_file.empty() ? "ssl_certificate needs its ssl_key" : "ssl_key needs its ssl_certificate");
  if (side == TlsOptions::Side::client) {
    if (tls.verify == TlsOptions::Verify::none)
      options.warning("ssl_verification_mode",
                      "the server's certificate is not verified: whoever is on the way can read and change everything");
    return;
  }
  if (tls.certificate_file.empty() && tls.key_file.empty())
    options.mistake("ssl_enabled", "a TLS server needs ssl_certificate and ssl_key");
  if (tls.client != io::ClientCertificate::none && tls.ca_files.empty())
    options.mistake("ssl_client_authentication",
                    "clients' certificates are asked for, and nothing says who may sign them; give "
                    "ssl_certificate_authorities, or ssl_client_authentication => none");
}

}  // namespace

TlsOptions read_tls_options(PluginOptions& options, TlsOptions::Side side, const TlsDefaults& defaults) {
  TlsOptions tls;
  const bool others = any_is_set(options);
  const auto enabled = set_name(options, kEnabled);
  const bool otherwise = defaults.enabled.value_or(others);
  tls.enabled = enabled ? options.boolean(*enabled, otherwise) : otherwise;
  tls.certificate_file = text_of(options, kCertificate);
  tls.key_file = text_of(options, kKey);
  if (const auto name = set_name(options, kAuthorities)) tls.ca_files = options.texts(*name);
  const auto verify = set_name(options, kVerify);
  const auto client = set_name(options, kClient);
  tls.verify = verify ? verify_of(options, *verify) : defaults.verify;
  tls.client = client ? client_of(options, *client) : defaults.client;
  // The old tcp plugins have one word for both sides.
  if (options.has("ssl_verify")) {
    const bool wanted = options.boolean("ssl_verify", true);
    if (!verify) tls.verify = wanted ? TlsOptions::Verify::full : TlsOptions::Verify::none;
    if (!client) tls.client = wanted ? io::ClientCertificate::required : io::ClientCertificate::none;
  }
  know(options, "ssl_verify");
  refuse_what_is_not_offered(options);
  if (!tls.enabled) {
    if (others && enabled)
      options.warning(*enabled, "TLS is off here, so the other options that begin with ssl_ have no effect");
    else if (others && !enabled)
      options.warning("ssl_enabled", "options of TLS are set, and TLS is off; add ssl_enabled => true");
    return tls;
  }
  check(options, side, tls);
  return tls;
}

Result<void> TlsOptions::apply(io::HttpOptions& http) const {
  if (ca_files.size() > 1)
    return Error{Fault::unsupported, "more than one file of authorities; put the certificates into one file"};
  http.ca_file = ca_files.empty() ? "" : ca_files[0];
  http.certificate_file = certificate_file;
  http.key_file = key_file;
  http.verify = verify == Verify::full          ? io::HttpOptions::Verify::full
                : verify == Verify::certificate ? io::HttpOptions::Verify::certificate
                                                : io::HttpOptions::Verify::none;
  return {};
}

}  // namespace enclave::pipeline
