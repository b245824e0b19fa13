#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

/// Reads a text piece by piece and knows where it is. The language has no tokens of its own: what "[" or "/" begins
/// depends on where it stands, so the parser asks for what it can use.
class Lexer {
 public:
  Lexer(std::string_view text, std::uint32_t file);

  const Position& position() const { return at_; }
  bool at_end() const { return at_.offset >= text_.size(); }
  char peek(std::size_t ahead = 0) const;
  std::string_view rest() const { return text_.substr(at_.offset); }
  void advance(std::size_t bytes);
  void restore(const Position& position) { at_ = position; }

  /// Skips white space and comments. True when there were any.
  bool skip();
  bool take(char c);
  bool take(std::string_view word);
  /// As take, but not when a word goes on after it.
  bool take_word(std::string_view word);

  /// [A-Za-z_][A-Za-z0-9_]+, also a prefix of something longer; "" when there is none.
  std::string_view bareword() const;
  /// [A-Za-z0-9_-]+
  std::string_view name() const;
  /// -?[0-9]+(\.[0-9]*)?
  std::string_view number() const;
  /// One or more of "[…]" side by side.
  std::string_view selector() const;
  /// From `delimiter` to the next one without a backslash before it, both included; none when it is never closed.
  std::optional<std::string_view> delimited(char delimiter) const;

  /// What stands here, for a message: `"word"`, `","`, "the end of the file".
  std::string found() const;

 private:
  std::string_view text_;
  Position at_;
};

}  // namespace enclave::pipeline::logstash
