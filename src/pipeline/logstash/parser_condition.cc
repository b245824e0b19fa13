#include <algorithm>

#include "pipeline/logstash/parser_detail.h"

namespace enclave::pipeline::logstash::parser_detail {
namespace {

using ExpressionPointer = std::unique_ptr<Expression>;

template <class Data>
bool make(State& state, const Position& position, std::uint32_t depth, Data data, ExpressionPointer& out) {
  if (depth > kExpressionDepthMax) {
    state.stop(position, fmt::format("a condition of more than {} nested operators; use \"in [ … ]\" or split it",
                                     kExpressionDepthMax));
    return false;
  }
  out = std::make_unique<Expression>();
  out->position = position;
  out->depth = depth;
  out->data = std::move(data);
  return true;
}

struct Word {
  std::string_view text;
  LogicOperator operation;
};
constexpr Word kLogicWords[] = {{"and", LogicOperator::and_},
                                {"or", LogicOperator::or_},
                                {"xor", LogicOperator::xor_},
                                {"nand", LogicOperator::nand}};
constexpr Word kWrongLogicWords[] = {{"&&", LogicOperator::and_},  {"||", LogicOperator::or_},
                                     {"AND", LogicOperator::and_}, {"OR", LogicOperator::or_},
                                     {"And", LogicOperator::and_}, {"Or", LogicOperator::or_}};

bool take_logic(State& state, LogicOperator& out) {
  state.lexer.skip();
  for (const auto& word : kLogicWords)
    if (state.lexer.take_word(word.text)) {
      out = word.operation;
      return true;
    }
  const Position here = state.lexer.position();
  for (const auto& word : kWrongLogicWords) {
    const bool sign = word.text[0] == '&' || word.text[0] == '|';
    if (!(sign ? state.lexer.take(word.text) : state.lexer.take_word(word.text))) continue;
    state.error(here, fmt::format("\"{}\" is no operator here; write \"{}\"", word.text, word_for(word.operation)));
    out = word.operation;
    return true;
  }
  return false;
}

bool is_loose(LogicOperator operation) { return operation == LogicOperator::xor_ || operation == LogicOperator::nand; }

/// Joins the two topmost operands.
bool join(State& state, std::vector<ExpressionPointer>& operands, LogicOperator operation) {
  Logic logic;
  logic.operation = operation;
  logic.right = std::move(operands.back());
  operands.pop_back();
  logic.left = std::move(operands.back());
  operands.pop_back();
  const Position position = logic.left->position;
  const std::uint32_t depth = std::max(logic.left->depth, logic.right->depth) + 1;
  return make(state, position, depth, std::move(logic), operands.emplace_back());
}

enum class Side : std::uint8_t { left, right };

/// An unquoted word: a field on the left, a text on the right is what was meant.
bool take_bare_operand(State& state, Rvalue& out, Side side) {
  Lexer& lexer = state.lexer;
  const std::size_t at = lexer.peek() == '@' ? 1 : 0;
  const std::string_view rest = lexer.rest();
  std::size_t length = rest.find_first_of(" \t\r\n{}[](),\"'#=!<>~");
  if (length == std::string_view::npos) length = rest.size();
  const std::string word(rest.substr(0, length));
  if (word.size() <= at || word[0] == '/' || word[0] == '%' || lexer.name().empty() == (at == 0)) return false;
  if (lexer.peek(length) == '(') {
    state.error(fmt::format("{}(…): there are no functions in conditions", word));
    return false;
  }
  if (side == Side::left) {
    const bool inverted = word == "not";
    if (inverted) {
      state.error("\"not\" stands only in \"not in\"; write ! before a [field] or before parentheses");
      return false;
    }
    state.error(fmt::format("{0} stands unquoted; a field is written [{0}], a text \"{0}\"", word));
    out.data = Selector{"[" + word + "]"};
  } else {
    state.error(fmt::format("{0} stands unquoted; a text is written \"{0}\", a field [{0}]", word));
    String text;
    text.text = text.value = word;
    out.data = std::move(text);
  }
  lexer.advance(length);
  return true;
}

bool parse_rvalue(State& state, Rvalue& out, Side side) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  out.position = lexer.position();
  const char c = lexer.peek();
  if (c == '"' || c == '\'') {
    auto text = state.quoted();
    if (!text) return false;
    out.data = std::move(*text);
    return true;
  }
  if (const auto digits = lexer.number(); !digits.empty()) {
    out.data = state.number(digits);
    lexer.advance(digits.size());
    return true;
  }
  // Before arrays, as in the original: a list of one text is read as the name of a field (the lint says so).
  if (const auto selector = lexer.selector(); !selector.empty()) {
    out.data = Selector{std::string(selector)};
    lexer.advance(selector.size());
    return true;
  }
  if (c == '[') {
    const Deeper deeper(state);
    return !state.stopped && parse_array(state, out.data.emplace<Array>());
  }
  if (c == '/') {
    const auto whole = lexer.delimited('/');
    if (!whole) {
      state.error(
          "the regular expression that begins here is never closed; a \"/\" is missing, and one inside is "
          "written \\/");
      return false;
    }
    out.data = Regexp{std::string(whole->substr(1, whole->size() - 2))};
    lexer.advance(whole->size());
    return true;
  }
  const std::size_t mistakes = state.mistakes;
  if (take_bare_operand(state, out, side)) return !state.stopped;
  if (state.mistakes > mistakes) return false;
  if (c == '(' && side == Side::right) {
    state.unexpected("a value", "a list is written [\"a\", \"b\"]");
  } else {
    state.unexpected("a [field], a quoted text, a number, a list or a /regular expression/");
  }
  return false;
}

bool parse_negation(State& state, const Position& position, ExpressionPointer& out) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  Not negation;
  const Position inner = lexer.position();
  if (lexer.take('(')) {
    const Deeper deeper(state);
    if (state.stopped || !parse_condition(state, negation.operand)) return false;
    lexer.skip();
    if (!lexer.take(')')) {
      state.unexpected("\")\"");
      return false;
    }
    negation.operand->parenthesised = true;
  } else if (const auto selector = lexer.selector(); !selector.empty()) {
    if (!make(state, inner, 1, Truth{{std::string(selector)}}, negation.operand)) return false;
    lexer.advance(selector.size());
    lexer.skip();
    for (const std::string_view word : {"==", "!=", "=~", "!~", "<", ">", "in ", "not "})
      if (lexer.rest().starts_with(word)) {
        state.error(position,
                    "\"!\" belongs to the field alone, so nothing can be compared with it; write !( … ) around "
                    "the comparison");
        return false;
      }
  } else {
    state.unexpected("a [field] or \"(\" after \"!\"", "write !( … ) around what is to be inverted");
    return false;
  }
  const std::uint32_t depth = negation.operand->depth + 1;
  return make(state, position, depth, std::move(negation), out);
}

bool parse_match(State& state, const Position& position, bool negated, Rvalue subject, ExpressionPointer& out) {
  Match match;
  match.negated = negated;
  match.subject = std::move(subject);
  if (!parse_rvalue(state, match.pattern, Side::right)) return false;
  if (!std::holds_alternative<Selector>(match.subject.data) && !std::holds_alternative<String>(match.subject.data)) {
    state.error(position, "only a [field] or a quoted text can be matched with a pattern");
    return false;
  }
  if (!std::holds_alternative<Regexp>(match.pattern.data) && !std::holds_alternative<String>(match.pattern.data)) {
    state.error(match.pattern.position, "a pattern is wanted after =~ and !~; write /…/ or a quoted text");
    return false;
  }
  return make(state, position, 1, std::move(match), out);
}

bool parse_comparison(State& state, const Position& position, Rvalue left, ExpressionPointer& out) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  const Position here = lexer.position();
  if (lexer.take_word("in") || (lexer.take_word("not") && (lexer.skip(), lexer.take_word("in")))) {
    Membership membership;
    membership.negated = lexer.position().offset - here.offset > 2;
    membership.item = std::move(left);
    return parse_rvalue(state, membership.list, Side::right) && make(state, position, 1, std::move(membership), out);
  }
  if (lexer.position().offset != here.offset) {
    state.unexpected("\"in\" after \"not\"");
    return false;
  }
  if (lexer.take("=~")) return parse_match(state, position, false, std::move(left), out);
  if (lexer.take("!~")) return parse_match(state, position, true, std::move(left), out);
  struct Sign {
    std::string_view text;
    CompareOperator operation;
  };
  constexpr Sign kSigns[] = {{"==", CompareOperator::equal},      {"!=", CompareOperator::not_equal},
                             {"<=", CompareOperator::less_equal}, {">=", CompareOperator::greater_equal},
                             {"<", CompareOperator::less},        {">", CompareOperator::greater}};
  Comparison comparison;
  bool found = false;
  for (const auto& sign : kSigns) {
    if (!lexer.take(sign.text)) continue;
    comparison.operation = sign.operation;
    found = true;
    break;
  }
  if (!found && lexer.peek() == '=' && lexer.peek(1) != '>') {
    state.error("\"=\" compares nothing; write == or =~");
    lexer.advance(1);
    found = !state.stopped;
  }
  if (found) {
    comparison.left = std::move(left);
    return parse_rvalue(state, comparison.right, Side::right) && make(state, position, 1, std::move(comparison), out);
  }
  if (auto* selector = std::get_if<Selector>(&left.data))
    return make(state, position, 1, Truth{std::move(*selector)}, out);
  state.error(position, "a value alone is no condition; compare a [field] with it");
  return false;
}

bool parse_expression(State& state, ExpressionPointer& out) {
  Lexer& lexer = state.lexer;
  lexer.skip();
  const Position position = lexer.position();
  if (lexer.take('(')) {
    const Deeper deeper(state);
    if (state.stopped || !parse_condition(state, out)) return false;
    lexer.skip();
    if (!lexer.take(')')) {
      state.unexpected("\"and\", \"or\" or \")\"", "look for a missing \")\"");
      return false;
    }
    out->parenthesised = true;
    return true;
  }
  if (lexer.take('!')) return parse_negation(state, position, out);
  Rvalue left;
  return parse_rvalue(state, left, Side::left) && parse_comparison(state, position, std::move(left), out);
}

}  // namespace

// The grouping of the original: `and` binds closer than `or`, but at an `or` only the nearest `and` before it is
// joined, and what is left over is joined from the right.
bool parse_condition(State& state, std::unique_ptr<Expression>& out) {
  std::vector<ExpressionPointer> operands;
  std::vector<LogicOperator> waiting;
  std::size_t operators = 0;
  bool loose = false;
  if (!parse_expression(state, operands.emplace_back())) return false;
  const Position position = operands.front()->position;
  for (LogicOperator operation{}; take_logic(state, operation);) {
    ++operators;
    loose = loose || is_loose(operation);
    if (!waiting.empty() && waiting.back() == LogicOperator::and_ && operation == LogicOperator::or_) {
      if (!join(state, operands, waiting.back())) return false;
      waiting.pop_back();
    }
    waiting.push_back(operation);
    if (waiting.size() > kExpressionDepthMax) {
      state.stop(state.lexer.position(), fmt::format("more than {} operators in one condition; use \"in [ … ]\" or "
                                                     "split it",
                                                     kExpressionDepthMax));
      return false;
    }
    if (!parse_expression(state, operands.emplace_back())) return false;
  }
  if (loose && operators > 1)
    state.error(position, "\"xor\" and \"nand\" join two conditions and no more; put parentheses around each pair");
  for (; !waiting.empty(); waiting.pop_back())
    if (!join(state, operands, waiting.back())) return false;
  out = std::move(operands.back());
  return !state.stopped;
}

}  // namespace enclave::pipeline::logstash::parser_detail
