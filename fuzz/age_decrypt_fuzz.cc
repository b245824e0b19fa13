// uses: base crypto
// A whole age file, opened with a fixed identity: that of the vectors in tests/golden/age.
#include "base/result.h"
#include "crypto/age.h"

namespace {
using namespace enclave::crypto;

const AgeIdentity& identity() {
  static const AgeIdentity fixed =
      AgeIdentity::parse(Secret("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0")).value();
  return fixed;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  std::size_t given = 0;
  const auto opened =
      age_decrypt(file, std::span(&identity(), 1), [&](std::string_view piece) -> enclave::Result<void> {
        ENSURE(!piece.empty() && piece.size() <= 64 << 10);
        given += piece.size();
        return {};
      });
  ENSURE(given < size || size == 0);
  if (opened) ENSURE(size == parse_age_header(file)->bytes + age_payload_bytes(given));
  return 0;
}
