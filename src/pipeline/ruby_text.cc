#include "pipeline/ruby_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/encoding.h"

namespace enclave::pipeline {
namespace {

/// Bytes of the character at the start of `text`, 0 when there is none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= 4 && bytes <= text.size(); ++bytes)
    if (is_utf8(text.substr(0, bytes))) return bytes;
  return 0;
}

/// "" when the character stands for itself.
std::string_view named_escape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\f':
      return "\\f";
    case '\v':
      return "\\v";
    case '\b':
      return "\\b";
    case '\a':
      return "\\a";
    case '\x1b':
      return "\\e";
    default:
      return "";
  }
}

}  // namespace

void append_ruby_text(std::string_view text, std::string& out) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const std::size_t bytes = character_bytes(text.substr(i));
      if (bytes > 0) {
        out += text.substr(i, bytes);
      } else {
        fmt::format_to(std::back_inserter(out), "\\x{:02X}", byte);
      }
      i += bytes > 0 ? bytes : 1;
      continue;
    }
    // "#{", "#$" and "#@" would begin an interpolation.
    const bool interpolates = c == '#' && i + 1 < text.size() && std::string_view("{$@").find(text[i + 1]) < 3;
    if (const std::string_view escape = named_escape(c); !escape.empty()) {
      out += escape;
    } else if (byte == 0x7f) {
      out += "\\x7F";
    } else if (byte < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", byte);
    } else {
      if (interpolates) out += '\\';
      out += c;
    }
    ++i;
  }
  out += '"';
}

void append_ruby_real(double value, std::string& out) {
  if (!std::isfinite(value)) {
    out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  const double size = std::fabs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  const std::size_t e = text.find('e');
  const std::string_view mantissa = text.substr(0, e);
  out += mantissa;
  if (mantissa.find('.') == std::string_view::npos) out += ".0";
  if (e != std::string_view::npos) out += text.substr(e);
}

}  // namespace enclave::pipeline
