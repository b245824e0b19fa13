#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace enclave::pipeline::filebeat {

inline constexpr std::size_t kKeystoreBytesMax = 16 << 20;
using KeystoreSecrets = std::map<std::string, crypto::Secret, std::less<>>;

/// What filebeat.keystore holds, by name: "v1" and, in base 64, 64 bytes of salt, 12 of nonce and a JSON map under
/// AES-256-GCM, whose key PBKDF2-HMAC-SHA-512 makes of the password that Filebeat uses, an empty one.
/// Faults: unsupported (another version), corrupt, limit.
Result<KeystoreSecrets> read_keystore(std::string_view bytes);

/// Where filebeat.yml says that it is: `keystore.path`, or filebeat.keystore in `path.data`; "" where it says neither.
/// What cannot be read as a configuration says nothing.
std::string keystore_path_of(std::string_view config);

}  // namespace enclave::pipeline::filebeat
