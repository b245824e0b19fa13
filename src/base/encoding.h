#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

/// Text forms of bytes (RFC 4648) and of numbers. The decoders are strict: one text for one value.
namespace enclave {

std::string to_hex(std::string_view bytes);
/// Lower case only.
Result<std::string> from_hex(std::string_view text);

/// Standard alphabet, padded.
std::string to_base64(std::string_view bytes);
/// Standard alphabet, padded, no white space, unused bits zero.
Result<std::string> from_base64(std::string_view text);

/// Decimal digits only, no sign, no leading zero, no overflow.
Result<std::uint64_t> parse_number(std::string_view text);

/// True when all of it is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes);

/// Bytes of a digest or key, seen as text.
template <class Array>
std::string_view bytes_of(const Array& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

}  // namespace enclave
