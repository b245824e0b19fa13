#include "crypto/ed25519.h"

#include <openssl/evp.h>

#include <memory>

namespace enclave::crypto {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Key private_key_of(const Secret& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, data_of(seed.reveal()), seed.size()));
  ENSURE(key != nullptr);
  return key;
}

}  // namespace

Ed25519PrivateKey Ed25519PrivateKey::generate(Random& random) {
  std::array<std::uint8_t, 32> bytes;
  random.fill(bytes);
  Secret seed(std::string(bytes.begin(), bytes.end()));
  wipe(bytes.data(), bytes.size());
  return std::move(*from_seed(std::move(seed)));
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_seed(Secret seed) {
  if (seed.size() != 32) return Error{Fault::invalid, "the seed of a signing key has 32 bytes, not {}", seed.size()};
  const Key key = private_key_of(seed);
  Ed25519PublicKey public_key;
  std::size_t size = public_key.size();
  ENSURE(EVP_PKEY_get_raw_public_key(key.get(), public_key.data(), &size) == 1 && size == public_key.size());
  return Ed25519PrivateKey(std::move(seed), public_key);
}

Ed25519Signature Ed25519PrivateKey::sign(std::string_view message) const {
  const Key key = private_key_of(seed_);
  const Context context(EVP_MD_CTX_new());
  Ed25519Signature signature;
  std::size_t size = signature.size();
  ENSURE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  ENSURE(EVP_DigestSign(context.get(), signature.data(), &size, data_of(message), message.size()) == 1);
  ENSURE(size == signature.size());
  return signature;
}

bool verify(const Ed25519PublicKey& key, std::string_view message, const Ed25519Signature& signature) {
  const Key pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Context context(EVP_MD_CTX_new());
  return pkey != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), data_of(message), message.size()) == 1;
}

}  // namespace enclave::crypto
