#pragma once

#include <string>
#include <string_view>

#include "archive/verify.h"

/// What the verifier found, for people, for machines, and for who trusts neither.
namespace enclave::report {

/// 80 columns; the verdict in the first line. Findings that are no violation are counted per verdict where there are
/// many; the JSON form has them all.
std::string verify_text(const archive::VerifyReport& report);

/// One JSON object and a LF (docs/formats/verify-report.md).
std::string verify_json(const archive::VerifyReport& report);

struct Explain {
  std::string directory;  ///< a copy of the bucket: the directory that holds "v1"
  std::string vkey;       ///< the trust anchor; empty: the script says where to put it
  std::string identity;   ///< path of an age identity file; empty: ciphertext only
};
/// A plain sh script that checks one log with sha256sum, openssl, age and zstd alone: every leaf under the root, the
/// keys, the signature, every object. Exits 0 when all holds. Meant to be read; slow beyond some ten thousand leaves.
std::string explain_commands(std::string_view origin, const Explain& explain);

}  // namespace enclave::report
