#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::crypto {

/// MD5 (RFC 1321), 16 bytes: for protocols that demand it as a checksum (Content-MD5). It protects nothing.
/// Fault::unsupported where OpenSSL has none.
Result<std::string> md5(std::string_view bytes);

}  // namespace enclave::crypto
