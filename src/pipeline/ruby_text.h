#pragma once

#include <string>
#include <string_view>

namespace enclave::pipeline {

/// Appends what Ruby's inspect shows of a text: in quotes, with escapes; bytes that are not UTF-8 as \xFF.
void append_ruby_text(std::string_view text, std::string& out);
/// What Ruby shows of a float: "1.0", "1.0e+16".
void append_ruby_real(double value, std::string& out);

}  // namespace enclave::pipeline
