#pragma once

#include <string>

#include "pipeline/logstash/ast.h"

/// The tree as text. Texts are shown as they were written, before ${…} was replaced, so no secret can come out.
namespace enclave::pipeline::logstash {

/// The configuration in one form for one meaning: reading it gives the same tree. Parentheses show how mixed operators
/// group. Comments are not kept; repeated sections become one.
std::string to_text(const Configuration& configuration);
std::string to_text(const Expression& expression);
std::string to_text(const Value& value);

/// {"inputs": […], "filters": […], "outputs": […]}. A plugin: {"plugin", "at", "settings": [{"name", "value"}]}.
/// A branch: {"branch": [{"if": condition, "then": […]}]}, without "if" for `else`. `places` false leaves out "at".
std::string to_json(const Configuration& configuration, bool places = true);

}  // namespace enclave::pipeline::logstash
