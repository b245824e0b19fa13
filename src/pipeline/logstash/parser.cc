#include "pipeline/logstash/parser.h"

#include "pipeline/logstash/parser_detail.h"

namespace enclave::pipeline::logstash {
namespace parser_detail {
namespace {

constexpr std::string_view kSections[] = {"input", "filter", "output"};

bool parse_items(State& state, std::vector<Item>& out);

bool parse_arm_body(State& state, Arm& arm, std::string_view after) {
  const Deeper deeper(state);
  if (state.stopped || !state.open(after)) return false;
  return parse_items(state, arm.items);
}

bool parse_conditional_arm(State& state, Arm& arm) {
  state.lexer.skip();
  if (!parse_condition(state, arm.condition)) {
    if (state.stopped) return false;
    // What the arm runs can be read all the same.
    state.skip_to_brace();
    if (state.lexer.peek() != '{') return false;
  }
  return parse_arm_body(state, arm, "the condition");
}

/// The word that begins another arm: "else if", "else", or one that people write instead. 0: none, 1: with a
/// condition, 2: without.
int take_else(State& state) {
  const Position before = state.lexer.position();
  state.lexer.skip();
  for (const std::string_view wrong : {"elsif", "elseif", "elif"}) {
    const Position here = state.lexer.position();
    if (!state.lexer.take_word(wrong)) continue;
    state.error(here, fmt::format("\"{}\" is not a word of this language; write \"else if\"", wrong));
    return 1;
  }
  if (!state.lexer.take_word("else")) {
    state.lexer.restore(before);
    return 0;
  }
  state.lexer.skip();
  return state.lexer.take_word("if") ? 1 : 2;
}

bool parse_branch(State& state, const Position& position, Branch& out) {
  out.position = position;
  out.arms.emplace_back().position = position;
  if (!parse_conditional_arm(state, out.arms.back())) return false;
  for (;;) {
    const int kind = take_else(state);
    if (kind == 0) return true;
    Arm& arm = out.arms.emplace_back();
    arm.position = state.lexer.position();
    if (kind == 1) {
      if (!parse_conditional_arm(state, arm)) return false;
      continue;
    }
    if (!parse_arm_body(state, arm, "\"else\"")) return false;
    const int again = take_else(state);
    if (again == 0) return true;
    state.error("\"else\" is the last part of a branch, but another one follows; put it before the \"else\"");
    return false;
  }
}

bool parse_plugin(State& state, Plugin& out) {
  out.position = state.lexer.position();
  if (const auto name = state.lexer.name(); !name.empty()) {
    out.name = name;
    state.lexer.advance(name.size());
  } else if (state.lexer.peek() == '"' || state.lexer.peek() == '\'') {
    const auto text = state.quoted();
    if (!text) return false;
    out.name = text->text;
  } else {
    state.unexpected("a plugin, \"if\" or \"}\"");
    return false;
  }
  state.lexer.skip();
  if (state.lexer.peek() == '=') {
    state.error(out.position, fmt::format("the setting \"{}\" stands outside of a plugin; put it between the braces of "
                                          "one, or look for a \"}}\" too many before it",
                                          out.name));
    return false;
  }
  if (out.name == "else") {
    state.error(out.position, "\"else\" without an \"if\" right before it");
    state.skip_to_brace();
    return false;
  }
  if (!state.open(fmt::format("the plugin name \"{}\"", out.name))) return false;
  return parse_plugin_body(state, out);
}

/// Until the brace that closes them, which is taken.
bool parse_items(State& state, std::vector<Item>& out) {
  for (;;) {
    state.lexer.skip();
    if (state.stopped) return false;
    if (state.close()) return true;
    if (state.lexer.at_end()) {
      const Position open = state.braces.back();
      state.stop(state.lexer.position(),
                 fmt::format("the file ends before the \"{{\" of line {}, column {} is closed; a \"}}\" is missing",
                             open.line, open.column));
      return false;
    }
    const std::size_t depth = state.braces.size();
    const Position position = state.lexer.position();
    bool understood = false;
    if (state.lexer.take_word("if")) {
      Branch branch;
      understood = parse_branch(state, position, branch);
      if (!branch.arms.empty() && branch.arms.front().condition) out.emplace_back(std::move(branch));
    } else {
      Plugin plugin;
      understood = parse_plugin(state, plugin);
      if (understood) out.emplace_back(std::move(plugin));
    }
    if (!understood) {
      state.recover(depth);
      // Never stand still, whatever was met.
      if (!state.stopped && state.lexer.position().offset == position.offset) state.lexer.advance(1);
    }
  }
}

void parse_section(State& state) {
  Lexer& lexer = state.lexer;
  const Position position = lexer.position();
  const std::string name(lexer.name());
  std::vector<Item>* items = nullptr;
  if (name == "input") items = &state.configuration.inputs;
  if (name == "filter") items = &state.configuration.filters;
  if (name == "output") items = &state.configuration.outputs;
  std::vector<Item> ignored;
  if (items == nullptr) {
    const std::string near = nearest(name, kSections);
    if (lexer.peek() == '}') {
      state.error("a \"}\" too many: no \"{\" is open here");
    } else {
      state.unexpected("\"input\", \"filter\" or \"output\"",
                       near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    }
    items = &ignored;
    if (name.empty() || near.empty()) {
      lexer.advance(std::max<std::size_t>(name.size(), 1));
      lexer.skip();
      if (lexer.peek() != '{' || name.empty()) return state.recover(0);
    }
  }
  if (lexer.position().offset == position.offset) lexer.advance(name.size());
  lexer.skip();
  if (!state.open(fmt::format("\"{}\"", name))) return state.recover(0);
  if (items == &ignored && nearest(name, kSections).empty()) return state.recover(0);
  parse_items(state, *items);
}

}  // namespace
}  // namespace parser_detail

void parse_config(std::string_view text, const std::string& file, const ParseOptions& options, Configuration& into,
                  Diagnostics& diagnostics) {
  const auto index = static_cast<std::uint32_t>(into.files.size());
  into.files.push_back(file);
  if (text.size() > kConfigBytesMax) {
    diagnostics.error({file, 0, 0}, fmt::format("{} bytes, more than the {} that a configuration may have", text.size(),
                                                kConfigBytesMax));
    return;
  }
  parser_detail::State state(text, index, options, into, diagnostics);
  for (;;) {
    state.lexer.skip();
    if (state.stopped || state.lexer.at_end()) return;
    state.braces.clear();
    parser_detail::parse_section(state);
  }
}

}  // namespace enclave::pipeline::logstash
