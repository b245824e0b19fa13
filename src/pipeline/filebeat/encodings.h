#pragma once

#include <span>
#include <string>
#include <string_view>

/// The names that Filebeat has for encodings: its own and the labels of the WHATWG's Encoding Standard that are met.
namespace enclave::pipeline::filebeat {

/// All of them, in lower case.
std::span<const std::string_view> encoding_names();
/// The name that Charset (iconv(3)) has; "UTF-8" where bytes are left as they are, and for what is no name.
std::string_view iconv_name(std::string_view encoding);

bool is_utf16(std::string_view encoding);
/// What our file input calls it: utf-16le, utf-16be, utf-16le-bom and so on; "" when it is not of UTF-16.
std::string_view utf16_name(std::string_view encoding);

}  // namespace enclave::pipeline::filebeat
