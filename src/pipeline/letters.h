#pragma once

#include <string>
#include <string_view>

/// Letters of all languages, in UTF-8. Bytes that are not UTF-8 stay as they are.
namespace enclave::pipeline {

/// Of the first character; 1 where there is none of UTF-8, 0 for an empty text.
std::size_t character_bytes(std::string_view text);
/// Appends `text` in small letters.
void append_lower(std::string_view text, std::string& out);
/// Appends `text` in capital letters; a German sharp s becomes SS.
void append_upper(std::string_view text, std::string& out);

}  // namespace enclave::pipeline
