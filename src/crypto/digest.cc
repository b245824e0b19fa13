// The low-level functions: for a record of 200 bytes EVP_Digest takes 3.6 times as long (OpenSSL 3.0, SHA extensions:
// 0.60 against 0.17 us), an EVP context kept between records still 1.5 times, for fetching, locks and indirection.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/digest.h"

namespace enclave::crypto {

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

Sha256::Sha256() { SHA256_Init(&state_); }

void Sha256::update(std::string_view bytes) { SHA256_Update(&state_, bytes.data(), bytes.size()); }

Digest Sha256::finish() {
  Digest digest;
  SHA256_Final(digest.data(), &state_);
  return digest;
}

}  // namespace enclave::crypto
