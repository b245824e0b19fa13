#include "report/layout.h"

#include <fmt/core.h>

#include <algorithm>

namespace enclave::report {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c == '\t') {
      out += ' ';
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
      // U+0080 to U+009F steer terminals too.
      out += '?';
      ++i;
    } else {
      out += c < 0x20 || c == 0x7f ? '?' : text[i];
    }
  }
  return out;
}

std::string wrapped(std::string_view text, std::string_view first, std::string_view indent) {
  std::string out;
  std::string line(first);
  bool empty = true;
  std::size_t gap = 0;  // spaces since the last word
  const auto flush = [&] {
    out += line + "\n";
    line = indent;
    empty = true;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string word = printable(text.substr(0, end));
    const bool line_end = end < text.size() && text[end] == '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!word.empty()) {
      if (!empty && width_of(line) + gap + width_of(word) > kColumns) flush();
      line += std::string(empty ? 0 : gap, ' ') + word;
      empty = false;
      gap = 0;
    }
    ++gap;
    if (line_end && !empty) flush();
  }
  if (!empty) flush();
  return out;
}

std::string broken(std::string_view line, std::string_view first, std::string_view indent) {
  const std::string clean = printable(line);
  std::string out(first);
  std::size_t column = width_of(first);
  for (const char c : clean) {
    if (column == kColumns && !continues(c)) {
      out += "\n" + std::string(indent);
      column = width_of(indent);
    }
    out += c;
    column += continues(c) ? 0 : 1;
  }
  return out + "\n";
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

}  // namespace enclave::report
