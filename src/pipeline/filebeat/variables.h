#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::pipeline::filebeat {

/// The keystore, then the environment, or whatever else the caller wants ${NAME} to be looked up in.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

inline constexpr std::size_t kVariableBytesMax = 1 << 20;  ///< that one value may come to
inline constexpr int kVariableDepthMax = 8;                ///< of defaults that hold references themselves

/// `text` with its references replaced: ${NAME}, ${NAME:default}, ${NAME:?what is missing}, ${NAME:+instead}; a default
/// may hold references. "$${" stands for "${". What was looked up is not looked at again. Fault::absent for a name that
/// is nowhere; the message never shows a value. Fault::invalid for a reference that is not closed.
Result<std::string> substitute(std::string_view text, const Lookup& lookup);

/// Whether `text` is one reference and nothing else: then a value with commas stands for a list.
bool is_reference(std::string_view text);

}  // namespace enclave::pipeline::filebeat
