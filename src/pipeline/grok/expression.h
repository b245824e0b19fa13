#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/grok/pattern_library.h"

namespace enclave::pipeline::grok {

inline constexpr std::size_t kExpandedBytesMax = 1 << 20;
inline constexpr std::size_t kExpansionDepthMax = 100;

/// Oniguruma's expression in which each %{NAME:field:type} has become the group (?<NAME:field:type>…), and %{NAME} the
/// group (?:…), or with `capture_all` (?<NAME>…). Fault::invalid for an unknown name, with the nearest known one, and
/// for a pattern that calls itself, with the way round; Fault::limit for more than kExpandedBytesMax.
Result<std::string> expand(std::string_view pattern, const PatternLibrary& library, bool capture_all);

/// An expression for PCRE2 that means what Oniguruma's means in Ruby.
struct Translation {
  std::string expression;
  std::vector<std::string> groups;  ///< the names of groups 1, 2, …: any text that has no '>'
  bool needs_utf8 = false;          ///< matches single characters, so bytes would not do
};
/// Fault::unsupported for what PCRE2 has no counterpart of, Fault::invalid for what is no expression.
Result<Translation> translate(std::string_view expression);

}  // namespace enclave::pipeline::grok
