#pragma once

#include <string>
#include <string_view>

#include "pipeline/regex.h"

/// Regular expressions as Logstash's files have them, which is as Ruby reads them.
namespace enclave::pipeline {

/// What Ruby writes after the closing slash.
struct RubyFlags {
  bool any_case = false;  ///< i
  bool extended = false;  ///< x
  bool dot_all = false;   ///< m: "." is a line feed too
};

/// The same expression for Regex: "^" and "$" are those of a line, \h is a hexadecimal digit, \Z stands before a last
/// line feed, and the inner option m lets "." be a line feed.
std::string perl_of_ruby(std::string_view source, const RubyFlags& flags = {});

/// Fault::invalid with what is wrong, and at which byte of `source`.
Result<Regex> compile_ruby(std::string_view source);

}  // namespace enclave::pipeline
