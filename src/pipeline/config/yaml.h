#pragma once

#include <string>
#include <string_view>

#include "base/options.h"

/// YAML (1.1, as yaml-cpp reads it) → Node. The bytes may be anybody's.
namespace enclave::pipeline {

inline constexpr std::size_t kYamlBytesMax = 1 << 20;
inline constexpr std::size_t kYamlNodesMax = 100'000;  ///< anchors repeated: what a few aliases could unfold to
inline constexpr std::size_t kYamlTextMax = 8 << 20;   ///< bytes of all scalars, anchors repeated
inline constexpr int kYamlDepthMax = 64;

/// Parses one document; `file` is what places are called. Every mistake goes to the diagnostics: all duplicate keys,
/// but only the first breach of syntax, because what follows it cannot be understood. Nothing at all is a null node.
/// Refused, so that one text means one thing: tags, merge keys, keys that are not plain texts, a second document,
/// control characters, anything but UTF-8. What an alias repeats keeps the place where it was written.
Node parse_yaml(std::string_view text, const std::string& file, Diagnostics& diagnostics);

/// `text` as a YAML scalar that reads back as the same text: plain where that is safe, else in double quotes.
std::string yaml_scalar(std::string_view text);

}  // namespace enclave::pipeline
