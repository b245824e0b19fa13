#include "pipeline/logstash/lexer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/encoding.h"

namespace enclave::pipeline::logstash {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

Lexer::Lexer(std::string_view text, std::uint32_t file) : text_(text) {
  at_.file = file;
  if (text_.starts_with(kByteOrderMark)) at_.offset = kByteOrderMark.size();
}

char Lexer::peek(std::size_t ahead) const {
  return at_.offset + ahead < text_.size() ? text_[at_.offset + ahead] : '\0';
}

void Lexer::advance(std::size_t bytes) {
  const std::size_t end = std::min(at_.offset + bytes, text_.size());
  for (; at_.offset < end; ++at_.offset) {
    const char c = text_[at_.offset];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if ((c & 0xc0) != 0x80) {
      ++at_.column;
    }
  }
}

bool Lexer::skip() {
  const std::size_t before = at_.offset;
  while (!at_end()) {
    if (is_space(peek())) {
      advance(1);
    } else if (peek() == '#') {
      advance(std::min(rest().find('\n'), rest().size()));
    } else {
      break;
    }
  }
  return at_.offset != before;
}

bool Lexer::take(char c) {
  if (at_end() || peek() != c) return false;
  advance(1);
  return true;
}

bool Lexer::take(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  advance(word.size());
  return true;
}

bool Lexer::take_word(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  const char after = peek(word.size());
  if (is_letter(after) || is_digit(after)) return false;
  advance(word.size());
  return true;
}

std::string_view Lexer::bareword() const {
  const std::string_view all = rest();
  if (all.empty() || !is_letter(all[0])) return {};
  std::size_t length = 1;
  while (length < all.size() && (is_letter(all[length]) || is_digit(all[length]))) ++length;
  return length < 2 ? std::string_view() : all.substr(0, length);
}

std::string_view Lexer::name() const {
  const std::string_view all = rest();
  std::size_t length = 0;
  while (length < all.size() && (is_letter(all[length]) || is_digit(all[length]) || all[length] == '-')) ++length;
  return all.substr(0, length);
}

std::string_view Lexer::number() const {
  const std::string_view all = rest();
  std::size_t length = all.starts_with('-') ? 1 : 0;
  const std::size_t digits = length;
  while (length < all.size() && is_digit(all[length])) ++length;
  if (length == digits) return {};
  if (length < all.size() && all[length] == '.')
    for (++length; length < all.size() && is_digit(all[length]);) ++length;
  return all.substr(0, length);
}

std::string_view Lexer::selector() const {
  const std::string_view all = rest();
  std::size_t end = 0;
  while (end < all.size() && all[end] == '[') {
    const std::size_t stop = all.find_first_of("[],", end + 1);
    if (stop == std::string_view::npos || all[stop] != ']' || stop == end + 1) break;
    end = stop + 1;
  }
  return all.substr(0, end);
}

std::optional<std::string_view> Lexer::delimited(char delimiter) const {
  const std::string_view all = rest();
  if (all.empty() || all[0] != delimiter) return std::nullopt;
  for (std::size_t i = 1; i < all.size(); ++i) {
    // Only the delimiter is escaped: a backslash before another backslash does not shield it.
    if (all[i] == '\\' && i + 1 < all.size() && all[i + 1] == delimiter) {
      ++i;
    } else if (all[i] == delimiter) {
      return all.substr(0, i + 1);
    }
  }
  return std::nullopt;
}

std::string Lexer::found() const {
  if (at_end()) return "the end of the file";
  constexpr std::size_t kShown = 30;
  if (const auto word = name(); !word.empty())
    return fmt::format("\"{}{}\"", word.substr(0, kShown), word.size() > kShown ? "…" : "");
  const std::string_view all = rest();
  if (all.starts_with("=>") || all.starts_with("==")) return fmt::format("\"{}\"", all.substr(0, 2));
  if (all[0] == '"' || all[0] == '\'') {
    const auto quoted = delimited(all[0]);
    if (quoted && quoted->size() <= kShown && quoted->find('\n') == std::string_view::npos) return std::string(*quoted);
    return "a quoted text";
  }
  const auto byte = static_cast<unsigned char>(all[0]);
  if (byte < 0x20 || byte == 0x7f) return fmt::format("a control character (code {})", byte);
  if (byte < 0x80) return fmt::format("\"{}\"", all[0]);
  std::size_t length = 1;
  while (length < all.size() && length < 4 && (all[length] & 0xc0) == 0x80) ++length;
  const std::string_view sign = all.substr(0, length);
  constexpr std::string_view kTypographic[] = {"\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb"};
  for (const auto quote : kTypographic)
    if (sign == quote) return fmt::format("the typographic quote {} (a text stands in \" or ')", sign);
  return is_utf8(sign) ? fmt::format("\"{}\"", sign) : fmt::format("the byte 0x{:02x}", byte);
}

}  // namespace enclave::pipeline::logstash
