#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

/// Where ${NAME} is looked up, in this order. Either may be empty.
struct Variables {
  using Lookup = std::function<std::optional<std::string>(std::string_view name)>;
  Lookup keystore;
  Lookup environment;
};

/// Bytes that one value may come to.
inline constexpr std::size_t kSubstitutedBytesMax = 1 << 20;

/// `text` with each ${NAME} and ${NAME:default} replaced; what was put in is not looked at again. A name has letters,
/// digits, "_" and ".", and does not begin with a digit; anything else stays as it is. Fault::absent for a name that is
/// nowhere and has no default; the message never shows a value.
Result<std::string> substitute(std::string_view text, const Variables& variables);

/// Does so in every quoted text that is a value, also in conditions; keys and names stay. Values change, texts do not,
/// so that printing shows what was written.
void substitute_all(Configuration& configuration, const Variables& variables, Diagnostics& diagnostics);

}  // namespace enclave::pipeline::logstash
