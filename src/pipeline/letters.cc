#include "pipeline/letters.h"

#include <clocale>
#include <cwctype>

namespace enclave::pipeline {
namespace {

/// Small and capital letters of Unicode, whatever the locale of this process is.
locale_t letters() {
  static const locale_t kLetters = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kLetters;
}

struct Character {
  std::size_t bytes;
  char32_t code;  ///< the byte itself where it is not UTF-8
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
  if (bytes == 1 || lead > 0xf4 || text.size() < bytes) return {1, lead};
  char32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {1, lead};
    code = code << 6 | (byte & 0x3f);
  }
  return {bytes, code};
}

void append_code(char32_t code, std::string& out) {
  if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  }
  out += static_cast<char>(0x80 | (code & 0x3f));
}

template <class Change>
void append_changed(std::string_view text, char from, char to, const Change& change, std::string& out) {
  while (!text.empty()) {
    const char c = text[0];
    if (static_cast<unsigned char>(c) < 0x80) {
      out += c >= from && c <= to ? static_cast<char>(c ^ 0x20) : c;
      text.remove_prefix(1);
      continue;
    }
    const Character first = first_of(text);
    if (first.bytes == 1) {
      out += c;
    } else {
      change(text.substr(0, first.bytes), first.code);
    }
    text.remove_prefix(first.bytes);
  }
}

void append_other(std::string_view as_it_is, char32_t code, wint_t changed, std::string& out) {
  if (changed == code)
    out += as_it_is;
  else if (changed < 0x80)
    out += static_cast<char>(changed);
  else
    append_code(changed, out);
}

}  // namespace

std::size_t character_bytes(std::string_view text) { return text.empty() ? 0 : first_of(text).bytes; }

void append_lower(std::string_view text, std::string& out) {
  append_changed(
      text, 'A', 'Z',
      [&](std::string_view as_it_is, char32_t code) {
        append_other(as_it_is, code, ::towlower_l(static_cast<wint_t>(code), letters()), out);
      },
      out);
}

void append_upper(std::string_view text, std::string& out) {
  constexpr char32_t kSharpS = 0xdf;
  append_changed(
      text, 'a', 'z',
      [&](std::string_view as_it_is, char32_t code) {
        if (code == kSharpS)
          out += "SS";
        else
          append_other(as_it_is, code, ::towupper_l(static_cast<wint_t>(code), letters()), out);
      },
      out);
}

}  // namespace enclave::pipeline
