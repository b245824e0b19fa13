#include <algorithm>
#include <cctype>

#include "pipeline/grok/expression.h"

namespace enclave::pipeline::grok {
namespace {

constexpr int kClassDepthMax = 20;
constexpr std::string_view kHex = "0-9a-fA-F";
// Letters whose escapes mean the same to both; what is not here stands for the letter itself.
constexpr std::string_view kSameEscapes = "aAbBdDefGKnpPrRsStwWxXzZc0123456789";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Translator {
 public:
  explicit Translator(std::string_view in) : in_(in) {}

  Result<Translation> run() {
    while (at_ < in_.size()) TRY(step());
    return std::move(out_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }
  bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }
  void copy(std::size_t bytes) {
    out_.expression += in_.substr(at_, bytes);
    at_ += bytes;
  }
  void emit(std::string_view text, std::size_t instead_of) {
    out_.expression += text;
    at_ += instead_of;
  }

  Result<void> step() {
    const char c = peek();
    if (static_cast<unsigned char>(c) >= 0x80) wide();
    switch (c) {
      case '\\':
        return escape();
      case '[':
        TRY(character_class());
        return {};
      case '(':
        return group();
      case '.':
        // An escaped character goes on in whatever takes the text that is not escaped, so its first byte will do here.
        if (!out_.expression.ends_with("\\\\")) single(1);
        break;
      case '{':
        if (next_is("{,") && is_digit(peek(2))) {
          emit("{0", 1);
          return {};
        }
        break;
      default:
        break;
    }
    copy(1);
    return {};
  }

  /// A character of several bytes is matched as well byte for byte, unless it is repeated or has a capital.
  void wide() {
    const bool repeated = at_ + 1 < in_.size() && std::string_view("?*+{").find(peek(1)) != std::string_view::npos;
    if (repeated || ignores_case_) out_.needs_utf8 = true;
    wide_ = true;
  }

  /// What matches one character of any kind may match bytes only when it is repeated without a count.
  void single(std::size_t bytes) {
    const char after = peek(bytes);
    if (after != '*' && after != '+') out_.needs_utf8 = true;
  }

  Result<std::string_view> name_until(char close) {
    const std::size_t end = in_.find(close, at_);
    if (end == std::string_view::npos || end == at_)
      return Error{Fault::invalid, "a group's name is not closed by \"{}\"", close};
    const auto name = in_.substr(at_, end - at_);
    at_ = end + 1;
    return name;
  }

  Result<std::size_t> number_of(std::string_view name) const {
    const auto found = std::find(out_.groups.rbegin(), out_.groups.rend(), name);
    if (found == out_.groups.rend()) return Error{Fault::invalid, "there is no group \"{}\" before its use", name};
    return static_cast<std::size_t>(out_.groups.rend() - found);
  }

  Result<void> escape() {
    if (at_ + 1 == in_.size()) return Error{Fault::invalid, "a backslash stands at the end"};
    const char c = peek(1);
    if (c == 'h' || c == 'H') {
      emit(c == 'h' ? "[0-9a-fA-F]" : "[^0-9a-fA-F]", 2);
    } else if (c == 'v') {
      emit("\\x0b", 2);
    } else if (c == 'u') {
      code_point();
    } else if ((c == 'k' || c == 'g') && peek(2) == '<') {
      at_ += 3;
      const std::size_t number = TRY(number_of(TRY(name_until('>'))));
      out_.expression += c == 'k' ? "\\k{g" + std::to_string(number) + "}" : "(?&g" + std::to_string(number) + ")";
    } else if (is_letter(c) && kSameEscapes.find(c) == std::string_view::npos) {
      emit(in_.substr(at_ + 1, 1), 2);
    } else {
      if (c == 'p' || c == 'P' || c == 'X') out_.needs_utf8 = true;
      if (c == 'D' || c == 'W' || c == 'S') single(2);
      if (static_cast<unsigned char>(c) >= 0x80) out_.needs_utf8 = true;
      copy(2);
    }
    return {};
  }

  void code_point() {
    std::size_t digits = 0;
    while (digits < 4 && std::isxdigit(static_cast<unsigned char>(peek(2 + digits))) != 0) ++digits;
    if (digits != 4) return emit("u", 2);
    out_.needs_utf8 = true;
    out_.expression += "\\x{" + std::string(in_.substr(at_ + 2, 4)) + "}";
    at_ += 6;
  }

  Result<void> group() {
    if (peek(1) == '*') return Error{Fault::invalid, "\"(*\" begins no group"};
    if (peek(1) != '?') {
      copy(1);
      return {};
    }
    const char kind = peek(2);
    const bool angle = kind == '<' && peek(3) != '=' && peek(3) != '!';
    if (angle || kind == '\'' || next_is("(?P<")) {
      at_ += next_is("(?P<") ? 4 : 3;
      out_.groups.emplace_back(TRY(name_until(kind == '\'' ? '\'' : '>')));
      out_.expression += "(?<g" + std::to_string(out_.groups.size()) + ">";
    } else if (kind == '#') {
      const std::size_t end = in_.find(')', at_);
      if (end == std::string_view::npos) return Error{Fault::invalid, "a comment \"(?#\" is not closed"};
      at_ = end + 1;
    } else if (kind == '~') {
      return Error{Fault::unsupported, "\"(?~\", the absence of an expression, is not offered; write (?:(?!…).)*"};
    } else if (is_letter(kind) || kind == '-') {
      flags();
    } else {
      copy(std::min<std::size_t>(kind == '<' ? 4 : 3, in_.size() - at_));
    }
    return {};
  }

  /// Ruby's m is Perl's s; a, d and u choose what Perl decides otherwise.
  void flags() {
    out_.expression += "(?";
    for (at_ += 2; is_letter(peek()) || peek() == '-'; ++at_) {
      const char c = peek();
      if (c == 'm') {
        out_.expression += 's';
      } else if (c == 'i') {
        ignores_case_ = true;
        if (wide_) out_.needs_utf8 = true;
        out_.expression += c;
      } else if (c != 'a' && c != 'd' && c != 'u') {
        out_.expression += c;
      }
    }
  }

  /// From "[" on, to behind its "]". A class within a class is a part of it.
  Result<void> character_class() {
    bool any = false;
    unclosed_ = false;
    out_.expression += '[';
    ++at_;
    if (peek() == '^') {
      any = true;
      copy(1);
    }
    TRY(class_body(any, 0));
    out_.expression += ']';
    if (any) single(0);
    return {};
  }

  Result<void> class_body(bool& any, int depth) {
    bool after_set = false;
    for (bool first = true; at_ < in_.size(); first = false) {
      const char c = peek();
      if (c == ']' && !first) {
        ++at_;
        return {};
      }
      if (static_cast<unsigned char>(c) >= 0x80) out_.needs_utf8 = true;
      bool set = false;
      if (c == ']') {
        emit("\\]", 1);
      } else if (next_is("[:") && in_.find(":]", at_) != std::string_view::npos) {
        copy(in_.find(":]", at_) + 2 - at_);
        set = true;
      } else if (c == '[' && unclosed_) {
        emit("\\[", 1);
      } else if (c == '[') {
        TRY(nested_class(any, depth));
        set = true;
      } else if (next_is("&&")) {
        return Error{Fault::unsupported, "\"&&\", what two classes share, is not offered; write it as one class"};
      } else if (c == '\\') {
        set = TRY(class_escape(any));
      } else if (c == '-' && (after_set || before_set())) {
        // PCRE2 wants to be told that a hyphen beside a set is one.
        emit("\\-", 1);
      } else {
        copy(1);
      }
      after_set = set;
    }
    unclosed_ = true;
    return Error{Fault::invalid, "a character class is not closed by \"]\""};
  }

  bool before_set() const {
    return (peek(1) == '\\' && std::string_view("dDwWsShHpPR").find(peek(2)) != std::string_view::npos) ||
           peek(1) == '[';
  }

  Result<void> nested_class(bool& any, int depth) {
    if (peek(1) == '^')
      return Error{Fault::unsupported, "a negated class within a class is not offered; write it as one class"};
    if (depth == kClassDepthMax) return Error{Fault::limit, "classes lie more than {} deep in each other", depth};
    const std::size_t bytes = out_.expression.size(), from = at_++;
    if (const auto inner = class_body(any, depth + 1); inner || !unclosed_) return inner;
    // Never closed: then it was no class.
    out_.expression.resize(bytes);
    at_ = from;
    emit("\\[", 1);
    return {};
  }

  /// Whether it stands for more than one character.
  Result<bool> class_escape(bool& any) {
    if (at_ + 1 == in_.size()) return Error{Fault::invalid, "a backslash stands at the end"};
    const char c = peek(1);
    if (c == 'h') {
      emit(kHex, 2);
      return true;
    }
    if (c == 'H') return Error{Fault::unsupported, "\"\\H\" within a class is not offered; write [^0-9a-fA-F]"};
    if (c == 'v') {
      emit("\\x0b", 2);
    } else if (c == 'u') {
      code_point();
    } else if (is_letter(c) && std::string_view("AGKRXzZB").find(c) != std::string_view::npos) {
      emit(in_.substr(at_ + 1, 1), 2);
    } else if (is_letter(c) && kSameEscapes.find(c) == std::string_view::npos) {
      emit(in_.substr(at_ + 1, 1), 2);
    } else {
      if (c == 'p' || c == 'P') {
        out_.needs_utf8 = true;
        if (peek(2) == '{') copy(std::min(in_.find('}', at_), in_.size() - 1) - 1 - at_);
      }
      if (c == 'D' || c == 'W' || c == 'S') any = true;
      copy(2);
      return std::string_view("dDwWsSpP").find(c) != std::string_view::npos || in_[at_ - 1] == '}';
    }
    return false;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  bool wide_ = false, ignores_case_ = false;  ///< so far
  bool unclosed_ = false;                     ///< the text ended within a class: no bracket from there on opens one
  Translation out_;
};

}  // namespace

Result<Translation> translate(std::string_view expression) { return Translator(expression).run(); }

}  // namespace enclave::pipeline::grok
