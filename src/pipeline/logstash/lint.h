#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

/// Something that is allowed but most likely not what was meant.
struct Finding {
  enum class Grade : std::uint8_t { note, warning } grade = Grade::warning;
  std::string_view rule;  ///< its name, such as "glob-equality"; lives for ever
  Position position;
  std::string reason;
  std::string mend;
};

/// All findings of a configuration, in the order of files, lines and columns. Never shows a secret.
std::vector<Finding> lint(const Configuration& configuration);

/// What only the bytes and the mode of file number `file` tell: CR LF line ends, secrets that everybody can read.
/// `world_readable` is what the caller found out about the file.
std::vector<Finding> lint_file(const Configuration& configuration, std::uint32_t file, std::string_view text,
                               bool world_readable);

/// "x.conf:3:7: warning: reason; mend (rule)" for each.
std::string to_text(const Configuration& configuration, const std::vector<Finding>& findings);

}  // namespace enclave::pipeline::logstash
