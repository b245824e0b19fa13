#include "crypto/named_digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

namespace enclave::crypto {
namespace {

constexpr const char* kNames[] = {"MD5", "SHA1", "SHA256", "SHA384", "SHA512"};

using Kind = std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>;

/// "-fips": also where the approved algorithms are the default, since these are checksums.
Kind fetch(DigestName name) {
  return {EVP_MD_fetch(nullptr, kNames[static_cast<std::size_t>(name)], "-fips"), EVP_MD_free};
}

Error missing(DigestName name) {
  return Error{Fault::unsupported, "this system's OpenSSL has no {}", kNames[static_cast<std::size_t>(name)]};
}

}  // namespace

Result<std::string> digest_of(DigestName name, std::string_view bytes) {
  const Kind kind = fetch(name);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (!kind || EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                          kind.get(), nullptr) != 1)
    return missing(name);
  digest.resize(size);
  return digest;
}

Result<std::string> hmac_of(DigestName name, std::string_view key, std::string_view bytes) {
  const Kind kind = fetch(name);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (!kind ||
      HMAC(kind.get(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size) == nullptr)
    return missing(name);
  digest.resize(size);
  return digest;
}

}  // namespace enclave::crypto
