#include "pipeline/filebeat/variables.h"

#include <algorithm>

namespace enclave::pipeline::filebeat {
namespace {

/// Offset of the "}" that closes the "${" at the front; npos when there is none.
std::size_t end_of(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") {
      ++open;
      ++i;
    } else if (text[i] == '}' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

Result<std::string> replace(std::string_view text, const Lookup& lookup, int depth);

Result<std::string> value_of(std::string_view reference, const Lookup& lookup, int depth) {
  const std::size_t colon = reference.find(':');
  const std::string_view name = reference.substr(0, colon);
  if (name.empty()) return Error{Fault::invalid, "${{{}}} has no name", reference};
  const auto found = lookup ? lookup(name) : std::nullopt;
  const std::string_view rest = colon == std::string_view::npos ? "" : reference.substr(colon + 1);
  if (rest.starts_with('+')) return found ? replace(rest.substr(1), lookup, depth + 1) : std::string();
  if (found) return *found;
  if (rest.starts_with('?')) return Error{Fault::absent, "${{{}}} is not set: {}", name, rest.substr(1)};
  if (colon == std::string_view::npos)
    return Error{Fault::absent,
                 "${{{0}}} stands neither in the keystore nor in the environment; set it, or write "
                 "${{{0}:default}}",
                 name};
  return replace(rest, lookup, depth + 1);
}

Result<std::string> replace(std::string_view text, const Lookup& lookup, int depth) {
  if (depth > kVariableDepthMax) return Error{Fault::limit, "defaults of ${{…}} nest more than {} deep", depth - 1};
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find("${");
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    if (out.ends_with('$')) {
      out.back() = '$';
      out += '{';
      text.remove_prefix(2);
      continue;
    }
    const std::size_t end = end_of(text);
    if (end == std::string_view::npos) return Error{Fault::invalid, "a \"${{\" has no \"}}\"; write $${{ for the text"};
    out += TRY(value_of(text.substr(2, end - 2), lookup, depth));
    if (out.size() > kVariableBytesMax)
      return Error{Fault::limit, "with its variables the value has more than {} bytes", kVariableBytesMax};
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

Result<std::string> substitute(std::string_view text, const Lookup& lookup) { return replace(text, lookup, 0); }

bool is_reference(std::string_view text) { return text.starts_with("${") && end_of(text) + 1 == text.size(); }

}  // namespace enclave::pipeline::filebeat
