#include <algorithm>

#include "base/encoding.h"
#include "pipeline/logstash/parser_detail.h"

namespace enclave::pipeline::logstash::parser_detail {
namespace {

/// A run of characters that cannot end an unquoted value: what somebody forgot to quote.
std::string_view unquoted_run(std::string_view rest) {
  if (rest.starts_with("${") && rest.find('}') < rest.find('\n')) return rest.substr(0, rest.find('}') + 1);
  return rest.substr(0, rest.find_first_of(" \t\r\n{}[],\"'#"));
}

/// Told, and then read as if it had been quoted, so that what follows is read too.
bool take_unquoted(State& state, Value& out) {
  const std::string_view run = unquoted_run(state.lexer.rest());
  if (run.empty() || run.starts_with("=>")) return false;
  if (run.starts_with('/') && run.size() > 1 && run.ends_with('/')) {
    state.error(fmt::format("a regular expression between slashes stands only in conditions; write \"{}\"",
                            run.substr(1, run.size() - 2)));
  } else if (!is_utf8(run) || static_cast<unsigned char>(run[0]) < 0x20 || run.starts_with("\xe2\x80")) {
    return false;
  } else {
    constexpr std::size_t kShown = 60;
    state.error(fmt::format("{}{} stands unquoted where a value is wanted; write \"{}{}\"", run.substr(0, kShown),
                            run.size() > kShown ? "…" : "", run.substr(0, kShown), run.size() > kShown ? "…" : ""));
  }
  String text;
  text.text = text.value = run;
  out.data = std::move(text);
  state.lexer.advance(run.size());
  return true;
}

bool ends_word(char c) {
  return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '{' || c == '}' || c == '[' || c == ']' ||
         c == ',' || c == '#' || c == '"' || c == '\'' || c == '=';
}

/// A scalar key or value without a plugin's braces behind it.
bool parse_scalar(State& state, Value& out, std::string_view wanted) {
  Lexer& lexer = state.lexer;
  out.position = lexer.position();
  if (lexer.peek() == '"' || lexer.peek() == '\'') {
    auto text = state.quoted();
    if (!text) return false;
    out.data = std::move(*text);
    return true;
  }
  if (const auto word = lexer.bareword(); !word.empty() && ends_word(lexer.peek(word.size()))) {
    out.data = Bareword{std::string(word)};
    lexer.advance(word.size());
    return true;
  }
  if (const auto digits = lexer.number(); !digits.empty() && ends_word(lexer.peek(digits.size()))) {
    out.data = state.number(digits);
    lexer.advance(digits.size());
    return true;
  }
  if (take_unquoted(state, out)) return true;
  state.unexpected(wanted);
  return false;
}

/// "=>", or what people write instead, which is told and then taken as if it were one.
bool take_arrow(State& state, std::string_view name) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  if (lexer.take("=>")) return true;
  const Position here = lexer.position();
  for (const std::string_view wrong : {"->", "==>", "= >", "==", ":", "="}) {
    if (!lexer.take(wrong)) continue;
    state.error(here, fmt::format("\"{}\" stands where \"=>\" is wanted; write {} => …", wrong, name));
    return true;
  }
  if (name == "if" || name == "else") {
    state.error(here,
                "a condition cannot stand inside a plugin; put it around the plugin, or look for a \"}\" that is "
                "missing before it");
    return false;
  }
  if (lexer.peek() == '{' || lexer.peek() == '[' || lexer.peek() == '"') {
    state.error(here, fmt::format("\"=>\" is missing after {0}; write {0} => …, or close the plugin before it with "
                                  "a \"}}\"",
                                  name));
    return true;
  }
  state.unexpected(fmt::format("\"=>\" after {}", name));
  return false;
}

/// Between two settings or two entries of a hash: white space, and no comma. False at the closing brace or the end.
bool another(State& state, bool first, bool spaced, std::string_view what) {
  Lexer& lexer = state.lexer;
  while (lexer.peek() == ',') {
    state.error(fmt::format("a comma parts two {0}; white space does: remove the comma", what));
    if (state.stopped) return false;
    lexer.advance(1);
    lexer.skip();
    spaced = true;
  }
  if (state.stopped || lexer.at_end() || lexer.peek() == '}') return false;
  if (!first && !spaced)
    state.error(fmt::format("no white space parts these two {}; put a space before this one", what));
  return !state.stopped;
}

bool missing_brace(State& state) {
  if (!state.lexer.at_end() || state.stopped) return false;
  const Position open = state.braces.back();
  state.stop(state.lexer.position(),
             fmt::format("the file ends before the \"{{\" of line {}, column {} is closed; a \"}}\" is missing",
                         open.line, open.column));
  return false;
}

std::string key_text(const Value& key) {
  if (const auto* text = std::get_if<String>(&key.data)) {
    const char quote = text->quote == Quote::double_quote ? '"' : '\'';
    return quote + text->text + quote;
  }
  return *text_of(key);
}

bool parse_hash(State& state, Hash& out) {
  if (!state.open("\"=>\"")) return false;
  std::vector<std::string> keys;
  state.lexer.skip();
  for (bool spaced = true; another(state, out.entries.empty(), spaced, "entries of a hash");) {
    HashEntry entry;
    if (!parse_scalar(state, entry.key, "a key or \"}\"")) return false;
    const std::string text = key_text(entry.key);
    keys.push_back(text);
    if (!take_arrow(state, text)) return false;
    state.lexer.skip();
    if (!parse_value(state, entry.value)) return false;
    out.entries.push_back(std::move(entry));
    spaced = state.lexer.skip();
  }
  if (!state.close()) return missing_brace(state);
  std::vector<std::size_t> order(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (keys[order[i]] == keys[order[i - 1]])
      state.error(out.entries[order[i]].key.position,
                  fmt::format("the key {} stands in this hash a second time; one of the two must go", keys[order[i]]));
  return true;
}

/// Name and "{" of a plugin that is a value: codec => json { … }.
bool begins_plugin(State& state, std::string& name) {
  Lexer& lexer = state.lexer;
  const Position before = lexer.position();
  const char c = lexer.peek();
  if (c == '"' || c == '\'') {
    const auto whole = lexer.delimited(c);
    if (!whole) return false;
    name = whole->substr(1, whole->size() - 2);
    lexer.advance(whole->size());
  } else {
    name = lexer.name();
    if (name.empty()) return false;
    lexer.advance(name.size());
  }
  lexer.skip();
  if (lexer.peek() == '{') return true;
  lexer.restore(before);
  return false;
}

}  // namespace

bool parse_array(State& state, Array& out) {
  Lexer& lexer = state.lexer;
  const Position here = lexer.position();
  lexer.advance(1);
  lexer.skip();
  if (lexer.take(']')) return true;
  for (;;) {
    if (!parse_value(state, out.items.emplace_back())) return false;
    lexer.skip();
    if (lexer.take(']')) return true;
    const Position comma = lexer.position();
    if (lexer.take(',')) {
      lexer.skip();
      const bool trailing = lexer.peek() == ']';
      if (!trailing && lexer.peek() != ',') continue;
      state.error(comma, trailing ? "a comma before the \"]\"; remove it" : "nothing stands between two commas");
      if (trailing) return lexer.take(']');
      return false;
    }
    if (lexer.at_end()) {
      state.stop(here, "the \"[\" that opens here is never closed; a \"]\" is missing");
      return false;
    }
    const char c = lexer.peek();
    if (c != '"' && c != '\'' && lexer.name().empty()) {
      state.unexpected("\",\" or \"]\"");
      return false;
    }
    state.error(fmt::format("{} follows a value without a comma; write a comma between them", lexer.found()));
    if (state.stopped) return false;
  }
}

bool parse_value(State& state, Value& out) {
  const Deeper deeper(state);
  if (state.stopped) return false;
  Lexer& lexer = state.lexer;
  out.position = lexer.position();
  if (lexer.peek() == '[') return parse_array(state, out.data.emplace<Array>());
  if (lexer.peek() == '{') return parse_hash(state, out.data.emplace<Hash>());
  std::string name;
  if (begins_plugin(state, name)) {
    auto plugin = std::make_unique<Plugin>();
    plugin->position = out.position;
    plugin->name = std::move(name);
    if (!state.open("the plugin name") || !parse_plugin_body(state, *plugin)) return false;
    out.data = std::move(plugin);
    return true;
  }
  return parse_scalar(state, out, "a value");
}

bool parse_plugin_body(State& state, Plugin& out) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  for (bool spaced = true; another(state, out.attributes.empty(), spaced, "settings");) {
    Attribute attribute;
    attribute.position = lexer.position();
    if (lexer.peek() == '"' || lexer.peek() == '\'') {
      const auto text = state.quoted();
      if (!text) return false;
      attribute.name = text->text;
    } else if (const auto name = lexer.name(); !name.empty()) {
      attribute.name = name;
      lexer.advance(name.size());
    } else {
      state.unexpected("the name of a setting or \"}\"");
      return false;
    }
    if (!take_arrow(state, attribute.name)) return false;
    lexer.skip();
    if (!parse_value(state, attribute.value)) return false;
    out.attributes.push_back(std::move(attribute));
    spaced = lexer.skip();
  }
  if (state.close()) return true;
  return missing_brace(state);
}

}  // namespace enclave::pipeline::logstash::parser_detail
