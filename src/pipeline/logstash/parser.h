#pragma once

#include <string>
#include <string_view>

#include "base/options.h"
#include "pipeline/logstash/ast.h"

/// The Logstash configuration language: text → tree. The bytes may be anybody's.
namespace enclave::pipeline::logstash {

inline constexpr std::size_t kConfigBytesMax = 16 << 20;
inline constexpr int kNestingMax = 200;                     ///< of values, branches and parentheses
inline constexpr std::uint32_t kExpressionDepthMax = 1000;  ///< operators of one condition, nested
inline constexpr std::size_t kMistakesMax = 100;            ///< per file; reading stops there

struct ParseOptions {
  /// config.support_escapes: \" \' \\ \n \r \t in quoted texts. Without it every backslash stands for itself.
  bool support_escapes = false;
};

/// Adds what the text holds to `into`, under the file name `file`. Mistakes go to the diagnostics with what was found,
/// what may stand there, and the mend where there is one; after one, reading goes on at the next plugin. What was
/// understood is added also then.
/// Accepted: a byte order mark, CR LF, a comment on the last line without a line end.
void parse_config(std::string_view text, const std::string& file, const ParseOptions& options, Configuration& into,
                  Diagnostics& diagnostics);

/// What a quoted text means with config.support_escapes. Unknown escapes stay as they are.
std::string unescape(std::string_view text);

}  // namespace enclave::pipeline::logstash
