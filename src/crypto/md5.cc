#include "crypto/md5.h"

#include <openssl/evp.h>

#include <memory>

namespace enclave::crypto {

Result<std::string> md5(std::string_view bytes) {
  // "-fips": also where the approved algorithms are the default, since this is a checksum.
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> kind(EVP_MD_fetch(nullptr, "MD5", "-fips"), EVP_MD_free);
  std::string digest(16, '\0');
  unsigned size = 0;
  if (!kind || EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
                          kind.get(), nullptr) != 1)
    return Error{Fault::unsupported, "this system's OpenSSL has no MD5, which the server demands as a checksum"};
  return digest;
}

}  // namespace enclave::crypto
