#include <charconv>

#include "pipeline/logstash/parser_detail.h"

namespace enclave::pipeline::logstash {

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    constexpr std::string_view kWritten = "nrt\"'\\";
    constexpr std::string_view kMeant = "\n\r\t\"'\\";
    const std::size_t known = kWritten.find(next);
    if (known == std::string_view::npos) out += '\\';
    out += known == std::string_view::npos ? next : kMeant[known];
  }
  return out;
}

namespace parser_detail {

void State::error(const Position& position, std::string text) {
  if (stopped) return;
  diagnostics.error(configuration.place(position), std::move(text));
  if (++mistakes < kMistakesMax) return;
  stopped = true;
  diagnostics.error(configuration.place(position), fmt::format("{} mistakes; what follows was not read", mistakes));
}

void State::stop(const Position& position, std::string text) {
  error(position, std::move(text));
  stopped = true;
}

void State::unexpected(std::string_view wanted, std::string_view mend) {
  error(fmt::format("{} stands where {} is wanted{}{}", lexer.found(), wanted, mend.empty() ? "" : "; ", mend));
}

bool State::open(std::string_view after) {
  lexer.skip();
  const Position here = lexer.position();
  if (!lexer.take('{')) {
    unexpected(fmt::format("the \"{{\" after {}", after));
    return false;
  }
  braces.push_back(here);
  return true;
}

bool State::close() {
  if (!lexer.take('}')) return false;
  braces.pop_back();
  return true;
}

void State::recover(std::size_t depth) {
  bool first = true;
  while (!stopped && !lexer.at_end()) {
    if (braces.size() == depth && !first) return;
    lexer.skip();
    const char c = lexer.peek();
    if (c == '"' || c == '\'') {
      const auto text = lexer.delimited(c);
      lexer.advance(text ? text->size() : lexer.rest().size());
    } else if (c == '{') {
      braces.push_back(lexer.position());
      lexer.advance(1);
      first = false;
    } else if (c == '}') {
      if (braces.size() <= depth) {  // closes what is around the broken thing
        if (depth == 0) lexer.advance(1);
        return;
      }
      lexer.advance(1);
      braces.pop_back();
      first = false;
    } else {
      lexer.advance(1);
    }
  }
}

void State::skip_to_brace() {
  while (!lexer.at_end() && lexer.peek() != '{' && lexer.peek() != '}') {
    const char c = lexer.peek();
    if (c == '"' || c == '\'') {
      const auto text = lexer.delimited(c);
      lexer.advance(text ? text->size() : lexer.rest().size());
    } else {
      lexer.advance(1);
    }
    lexer.skip();
  }
}

std::optional<String> State::quoted() {
  const Position here = lexer.position();
  const char quote = lexer.peek();
  const auto whole = lexer.delimited(quote);
  if (!whole) {
    const auto line = lexer.rest().substr(0, lexer.rest().find('\n'));
    const bool backslash = line.find(fmt::format("\\{}", quote)) != std::string_view::npos;
    stop(here, fmt::format(
                   "the quote that opens here is never closed{}",
                   backslash ? "; a backslash before a quote keeps it in the text, so a text cannot end in one" : ""));
    return std::nullopt;
  }
  lexer.advance(whole->size());
  String out;
  out.text = whole->substr(1, whole->size() - 2);
  out.value = options.support_escapes ? unescape(out.text) : out.text;
  out.quote = quote == '"' ? Quote::double_quote : Quote::single_quote;
  return out;
}

Number State::number(std::string_view text) {
  Number out;
  out.text = text;
  const char* end = text.data() + text.size();
  if (text.find('.') != std::string_view::npos) {
    if (text.ends_with('.')) error(fmt::format("\"{}\" lacks digits after the point; write {}0", text, text));
    double value = 0;
    std::from_chars(text.data(), end, value);
    out.value = value;
    return out;
  }
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  const bool octal = digits.size() > 1 && digits[0] == '0';
  std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  std::int64_t value = 0;
  const auto [stop_at, fault] =
      std::from_chars(signed_digits.data(), signed_digits.data() + signed_digits.size(), value, octal ? 8 : 10);
  if (fault == std::errc::result_out_of_range) {
    error(fmt::format("{} does not fit in 64 bits; write it in quotes", text));
  } else if (octal && stop_at != signed_digits.data() + signed_digits.size()) {
    error(fmt::format("{} begins with 0, so it is octal, which has no 8 or 9; write it without the 0 or in quotes",
                      text));
  }
  out.value = value;
  return out;
}

}  // namespace parser_detail
}  // namespace enclave::pipeline::logstash
