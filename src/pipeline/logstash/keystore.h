#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/pkcs12_secret.h"

namespace enclave::pipeline::logstash {

inline constexpr std::string_view kKeystoreName = "logstash.keystore";
inline constexpr std::string_view kKeystorePassword = "LOGSTASH_KEYSTORE_PASS";  ///< a variable of the environment

/// What logstash.keystore has for ${name}; names are the same in capital and small letters. `password` is
/// $LOGSTASH_KEYSTORE_PASS; without one Logstash keeps a password of its own behind the store, which is taken then.
/// Faults: absent (it does not hold that name), denied (the password), corrupt, limit, unsupported; the messages say
/// what to do, without the path.
Result<crypto::Secret> keystore_value(std::string_view store, const std::optional<std::string>& password,
                                      std::string_view name,
                                      std::int64_t iterations_max = crypto::kPkcs12IterationsMax);

}  // namespace enclave::pipeline::logstash
