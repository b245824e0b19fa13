// uses: base crypto
// The header that stands before an age payload.
#include "base/result.h"
#include "crypto/age.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto header = enclave::crypto::parse_age_header(file);
  if (!header) return 0;
  ENSURE(!header->stanzas.empty());
  ENSURE(header->mac_bytes < header->bytes && header->bytes <= size);
  // What the MAC does not cover must not matter: the header alone reads the same.
  const auto again = enclave::crypto::parse_age_header(file.substr(0, header->bytes));
  ENSURE(again && again->stanzas.size() == header->stanzas.size() && again->mac == header->mac);
  return 0;
}
