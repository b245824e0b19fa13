#include "pipeline/logstash/lint_detail.h"
#include "pipeline/logstash/printer.h"

namespace enclave::pipeline::logstash {
namespace {

using lint_detail::Linter;

bool is_glob(std::string_view text) {
  // "*" alone is a value that some programs do write.
  return text.size() > 1 && text.find_first_of("*?") != std::string_view::npos &&
         text.find_first_of("/.") != std::string_view::npos;
}

const String* text_in(const Rvalue& value) { return std::get_if<String>(&value.data); }
const Selector* field_in(const Rvalue& value) { return std::get_if<Selector>(&value.data); }

bool mixes(const Expression& operand, LogicOperator with) {
  const auto* logic = std::get_if<Logic>(&operand.data);
  return logic != nullptr && !operand.parenthesised && logic->operation != with;
}

bool mixed_below(const Expression& expression) {
  const auto* logic = std::get_if<Logic>(&expression.data);
  if (logic == nullptr) return false;
  const auto side = [logic](const Expression& operand) {
    return mixes(operand, logic->operation) || (!operand.parenthesised && mixed_below(operand));
  };
  return side(*logic->left) || side(*logic->right);
}

/// A list of one text: "[" text "]" in quotes is read as the name of a field.
bool is_quoted_name(const Rvalue& value) {
  const auto* field = field_in(value);
  if (field == nullptr || field->text.size() < 4) return false;
  const char first = field->text[1], last = field->text[field->text.size() - 2];
  return first == last && (first == '"' || first == '\'');
}

void lint_list_of_one(Linter& linter, const Rvalue& value) {
  if (!is_quoted_name(value)) return;
  const std::string& text = std::get<Selector>(value.data).text;
  const std::string inner = text.substr(1, text.size() - 2);
  linter.add("list-of-one", value.position,
             fmt::format("{} is read as a field of that name with its quotes, so it never holds anything", text),
             fmt::format("write == {0}, or name the text twice: [{0}, {0}]", inner));
}

void lint_comparison(Linter& linter, const Comparison& comparison) {
  const bool equality =
      comparison.operation == CompareOperator::equal || comparison.operation == CompareOperator::not_equal;
  for (const auto* side : {&comparison.left, &comparison.right}) {
    lint_list_of_one(linter, *side);
    const auto* text = text_in(*side);
    if (text != nullptr && equality && is_glob(text->text))
      linter.add("glob-equality", side->position,
                 fmt::format("\"{}\" is compared letter by letter; * and ? stand for themselves", text->text),
                 "use =~ with a regular expression, in which * is written .* and . is written \\.");
    if (text != nullptr && text->text.find("%{") != std::string::npos)
      linter.add("reference-in-condition", side->position, "%{…} is not replaced in conditions",
                 "write the [field] itself");
    if (std::holds_alternative<Regexp>(side->data))
      linter.add("pattern-equality", side->position, "== and != do not match regular expressions", "write =~ or !~");
    if (text != nullptr && !equality && !text->text.empty() &&
        text->text.find_first_not_of("0123456789.-") == std::string::npos)
      linter.add("number-as-text", side->position, "a number in quotes is compared as a text",
                 "write it without quotes, and convert the field to a number");
  }
  if (field_in(comparison.left) == nullptr && field_in(comparison.right) == nullptr)
    linter.add("constant-condition", comparison.left.position, "both sides are constants", "compare a [field]");
}

void lint_match(Linter& linter, const Match& match) {
  const auto* text = text_in(match.pattern);
  const auto* regexp = std::get_if<Regexp>(&match.pattern.data);
  const std::string& pattern = text != nullptr ? text->text : regexp->pattern;
  if (pattern.empty())
    linter.add("empty-pattern", match.pattern.position, "an empty pattern matches everything", "say what must match");
  const bool star = pattern.starts_with('*') || pattern.starts_with("/*");
  if (star)
    linter.add("glob-as-pattern", match.pattern.position, "* repeats what stands before it, and nothing does",
               "write .* for anything at all");
}

}  // namespace

void lint_condition(Linter& linter, const Expression& expression) {
  if (mixed_below(expression))
    linter.add("mixed-operators", expression.position,
               fmt::format("and and or without parentheses; this is read as {}", to_text(expression)),
               "put parentheses where they are meant");
  struct Visitor {
    Linter& linter;
    void visit(const Expression& any, bool top) {
      if (!top && any.parenthesised && std::holds_alternative<Logic>(any.data)) return lint_condition(linter, any);
      if (const auto* logic = std::get_if<Logic>(&any.data)) {
        visit(*logic->left, false);
        visit(*logic->right, false);
      }
      if (const auto* negation = std::get_if<Not>(&any.data)) visit(*negation->operand, false);
      if (const auto* comparison = std::get_if<Comparison>(&any.data)) lint_comparison(linter, *comparison);
      if (const auto* match = std::get_if<Match>(&any.data)) lint_match(linter, *match);
      if (const auto* membership = std::get_if<Membership>(&any.data)) {
        lint_list_of_one(linter, membership->list);
        const auto* text = text_in(membership->item);
        if (text != nullptr && is_glob(text->text))
          linter.add("glob-equality", membership->item.position,
                     fmt::format("\"{}\" is looked for letter by letter; * and ? stand for themselves", text->text),
                     "use =~ with a regular expression");
      }
    }
  };
  Visitor{linter}.visit(expression, true);
}

}  // namespace enclave::pipeline::logstash
