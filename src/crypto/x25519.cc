#include "crypto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

#include "base/result.h"

namespace enclave::crypto {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

Key private_key_of(const Secret& scalar) {
  ENSURE(scalar.size() == 32);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr,
                                       reinterpret_cast<const unsigned char*>(scalar.reveal().data()), scalar.size()));
  ENSURE(key != nullptr);
  return key;
}

}  // namespace

X25519Point x25519_public(const Secret& scalar) {
  const Key key = private_key_of(scalar);
  X25519Point point;
  std::size_t size = point.size();
  ENSURE(EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size) == 1 && size == point.size());
  return point;
}

std::optional<Secret> x25519(const Secret& scalar, const X25519Point& point) {
  const Key own = private_key_of(scalar);
  const Key other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size()));
  const Context context(EVP_PKEY_CTX_new(own.get(), nullptr));
  ENSURE(other != nullptr && context != nullptr);
  ENSURE(EVP_PKEY_derive_init(context.get()) == 1);
  ENSURE(EVP_PKEY_derive_set_peer_ex(context.get(), other.get(), 0) == 1);
  std::array<std::uint8_t, 32> shared;
  std::size_t size = shared.size();
  // OpenSSL fails for an all-zero result, and for nothing else at this place.
  if (EVP_PKEY_derive(context.get(), shared.data(), &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  ENSURE(size == shared.size());
  Secret secret(std::string(shared.begin(), shared.end()));
  wipe(shared.data(), shared.size());
  return secret;
}

}  // namespace enclave::crypto
