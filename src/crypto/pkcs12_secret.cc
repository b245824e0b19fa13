#include "crypto/pkcs12_secret.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

namespace enclave::crypto {
namespace {

struct Freer {
  void operator()(PKCS12* p) const { PKCS12_free(p); }
  void operator()(STACK_OF(PKCS7) * p) const { sk_PKCS7_pop_free(p, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * p) const { sk_PKCS12_SAFEBAG_pop_free(p, PKCS12_SAFEBAG_free); }
  void operator()(X509_SIG* p) const { X509_SIG_free(p); }
  void operator()(PKCS8_PRIV_KEY_INFO* p) const { PKCS8_PRIV_KEY_INFO_free(p); }
  void operator()(PBE2PARAM* p) const { PBE2PARAM_free(p); }
  void operator()(PBKDF2PARAM* p) const { PBKDF2PARAM_free(p); }
  void operator()(PBEPARAM* p) const { PBEPARAM_free(p); }
  void operator()(char* p) const { OPENSSL_free(p); }
};
template <class T>
using Held = std::unique_ptr<T, Freer>;

/// What OpenSSL says of a failure must not be met by whoever asks next.
struct ClearErrors {
  ~ClearErrors() { ERR_clear_error(); }
};

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

bool same_name(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, small, small);
}

/// -1 where it is not a number that could be meant.
std::int64_t number_of(const ASN1_INTEGER* number) {
  std::int64_t value = 0;
  if (number == nullptr) return 1;
  return ASN1_INTEGER_get_int64(&value, number) == 1 && value > 0 ? value : -1;
}

/// How often a key is derived that opens this; -1 where it cannot be told.
std::int64_t iterations_of(const X509_SIG& sealed) {
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(&sealed, &algorithm, nullptr);
  const ASN1_OBJECT* name = nullptr;
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(&name, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE || value == nullptr) return -1;
  const auto* const text = static_cast<const ASN1_STRING*>(value);
  const unsigned char* at = ASN1_STRING_get0_data(text);
  if (OBJ_obj2nid(name) != NID_pbes2) {
    const Held<PBEPARAM> plain(d2i_PBEPARAM(nullptr, &at, ASN1_STRING_length(text)));
    return plain ? number_of(plain->iter) : -1;
  }
  const Held<PBE2PARAM> both(d2i_PBE2PARAM(nullptr, &at, ASN1_STRING_length(text)));
  if (!both) return -1;
  X509_ALGOR_get0(&name, &type, &value, both->keyfunc);
  if (OBJ_obj2nid(name) != NID_id_pbkdf2 || type != V_ASN1_SEQUENCE || value == nullptr) return -1;
  const auto* const inner = static_cast<const ASN1_STRING*>(value);
  at = ASN1_STRING_get0_data(inner);
  const Held<PBKDF2PARAM> derivation(d2i_PBKDF2PARAM(nullptr, &at, ASN1_STRING_length(inner)));
  return derivation ? number_of(derivation->iter) : -1;
}

Result<Secret> opened(const PKCS12_SAFEBAG& bag, const Secret& password, std::int64_t iterations_max) {
  const ASN1_TYPE* const value = PKCS12_SAFEBAG_get0_bag_obj(&bag);
  if (value == nullptr || value->type != V_ASN1_OCTET_STRING) return Error{Fault::corrupt, "a secret is damaged"};
  const unsigned char* at = ASN1_STRING_get0_data(value->value.octet_string);
  const Held<X509_SIG> sealed(d2i_X509_SIG(nullptr, &at, ASN1_STRING_length(value->value.octet_string)));
  if (!sealed) return Error{Fault::corrupt, "a secret is damaged"};
  const std::int64_t iterations = iterations_of(*sealed);
  if (iterations < 0) return Error{Fault::unsupported, "a secret is sealed in a way that is not known here"};
  if (iterations > iterations_max)
    return Error{Fault::limit, "a secret needs {} iterations, at most {}", iterations, iterations_max};
  const Held<PKCS8_PRIV_KEY_INFO> key(
      PKCS8_decrypt(sealed.get(), password.reveal().data(), size_of(password.reveal())));
  if (!key) return Error{Fault::unsupported, "a secret cannot be opened: its cipher is not offered, or it is damaged"};
  const unsigned char* bytes = nullptr;
  int length = 0;
  if (PKCS8_pkey_get0(nullptr, &bytes, &length, nullptr, key.get()) != 1)
    return Error{Fault::corrupt, "a secret is damaged"};
  return Secret(std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(std::max(length, 0))));
}

Result<void> verify(PKCS12& store, const Secret& password, std::int64_t iterations_max) {
  if (PKCS12_mac_present(&store) != 1) return Error{Fault::corrupt, "it has no checksum"};
  const ASN1_INTEGER* count = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &count, &store);
  const std::int64_t iterations = number_of(count);
  if (iterations < 0 || iterations > iterations_max)
    return Error{Fault::limit, "its checksum needs more than {} iterations", iterations_max};
  if (PKCS12_verify_mac(&store, password.reveal().data(), size_of(password.reveal())) != 1)
    return Error{Fault::denied, "it has another password, or is damaged"};
  return {};
}

}  // namespace

Result<Secret> pkcs12_secret(std::string_view store, const Secret& password, std::string_view name,
                             std::int64_t iterations_max) {
  const ClearErrors clear_errors;
  if (store.size() > kPkcs12BytesMax) return Error{Fault::limit, "it has more than {} bytes", kPkcs12BytesMax};
  const auto* at = reinterpret_cast<const unsigned char*>(store.data());
  const Held<PKCS12> read(d2i_PKCS12(nullptr, &at, static_cast<long>(store.size())));
  if (!read) return Error{Fault::corrupt, "it is no PKCS #12 store"};
  TRY(verify(*read, password, iterations_max));
  const Held<STACK_OF(PKCS7)> safes(PKCS12_unpack_authsafes(read.get()));
  if (!safes) return Error{Fault::corrupt, "it is damaged"};
  for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
    PKCS7* const safe = sk_PKCS7_value(safes.get(), i);
    // Java keeps certificates encrypted, and keys in bags that are each sealed.
    if (!PKCS7_type_is_data(safe)) continue;
    const Held<STACK_OF(PKCS12_SAFEBAG)> bags(PKCS12_unpack_p7data(safe));
    for (int j = 0; bags && j < sk_PKCS12_SAFEBAG_num(bags.get()); ++j) {
      PKCS12_SAFEBAG* const bag = sk_PKCS12_SAFEBAG_value(bags.get(), j);
      if (PKCS12_SAFEBAG_get_nid(bag) != NID_secretBag) continue;
      // Of another type what stands in it is no such value.
      if (OBJ_obj2nid(PKCS12_SAFEBAG_get0_bag_type(bag)) != NID_pkcs8ShroudedKeyBag) continue;
      const Held<char> friendly(PKCS12_get_friendlyname(bag));
      if (friendly && same_name(friendly.get(), name)) return opened(*bag, password, iterations_max);
    }
  }
  return Error{Fault::absent, "there is no secret of that name"};
}

Secret pbkdf2_sha512(std::string_view password, std::string_view salt, int iterations, std::size_t bytes) {
  std::string out(bytes, '\0');
  ENSURE(PKCS5_PBKDF2_HMAC(password.data(), size_of(password), reinterpret_cast<const unsigned char*>(salt.data()),
                           size_of(salt), iterations, EVP_sha512(), static_cast<int>(bytes),
                           reinterpret_cast<unsigned char*>(out.data())) == 1);
  return Secret(std::move(out));
}

}  // namespace enclave::crypto
