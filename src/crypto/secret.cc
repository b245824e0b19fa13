#include "crypto/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace enclave::crypto {
namespace {

// A moved-from short string still holds the characters behind its length of zero, so its whole capacity is wiped.
void wipe_string(std::string& bytes) {
  bytes.resize(bytes.capacity());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace

Secret::Secret(std::string bytes) : bytes_(std::move(bytes)) { wipe_string(bytes); }

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.wipe(); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  // Swapped, not moved: assignment of a short string may copy into our buffer and keep the other's.
  bytes_.swap(other.bytes_);
  other.wipe();
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() { wipe_string(bytes_); }

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(void* data, std::size_t size) { OPENSSL_cleanse(data, size); }

}  // namespace enclave::crypto
