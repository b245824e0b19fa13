#include "pipeline/ruby_regex.h"

namespace enclave::pipeline {
namespace {

/// Bytes of "(?imx-imx" up to what ends it, ")" or ":"; 0 when it is another kind of group.
std::size_t options_at(std::string_view text) {
  if (!text.starts_with("(?")) return 0;
  const std::size_t end = text.find_first_not_of("imx-", 2);
  return end == std::string_view::npos || end == 2 || (text[end] != ')' && text[end] != ':') ? 0 : end;
}

class Translator {
 public:
  explicit Translator(std::string_view source) : source_(source) {}

  void run(std::string& out) {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '\\' && at_ + 1 < source_.size()) {
        escape(out);
      } else if (const std::size_t bytes = in_class_ ? 0 : options_at(source_.substr(at_)); bytes > 0) {
        for (const char option : source_.substr(at_, bytes)) out += option == 'm' ? 's' : option;
        at_ += bytes;
      } else {
        if (c == '[') in_class_ = true;
        if (c == ']') in_class_ = false;
        out += c;
        ++at_;
      }
    }
  }

 private:
  void escape(std::string& out) {
    const char next = source_[at_ + 1];
    at_ += 2;
    if (next == 'h') {
      out += in_class_ ? "0-9a-fA-F" : "[0-9a-fA-F]";
    } else if (next == 'H' && !in_class_) {
      out += "[^0-9a-fA-F]";
    } else if (next == 'u' && at_ + 3 < source_.size() && source_[at_] != '{') {
      out += "\\x{";
      out += source_.substr(at_, 4);
      out += '}';
      at_ += 4;
    } else if (next == 'u') {
      out += "\\x";
    } else if (next == 'Z') {
      out += "(?=\\n?\\z)";
    } else {
      out += '\\';
      out += next;
    }
  }

  std::string_view source_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string perl_of_ruby(std::string_view source, const RubyFlags& flags) {
  std::string out = "(?m";
  if (flags.any_case) out += 'i';
  if (flags.extended) out += 'x';
  if (flags.dot_all) out += 's';
  out += ')';
  Translator(source).run(out);
  return out;
}

Result<Regex> compile_ruby(std::string_view source) {
  auto made = Regex::compile(perl_of_ruby(source));
  if (made) return made;
  // Its message speaks of bytes that nobody wrote; that of the source says the same of what stands there.
  auto plain = Regex::compile(source);
  return plain ? std::move(made) : std::move(plain);
}

}  // namespace enclave::pipeline
