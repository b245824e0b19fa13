#include "pipeline/logstash/printer.h"

#include <fmt/core.h>

namespace enclave::pipeline::logstash {
namespace {

void print(std::string& out, const Value& value, int indent);
void print(std::string& out, const Plugin& plugin, int indent);
void print(std::string& out, const Expression& expression);

void new_line(std::string& out, int indent) {
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * 2, ' ');
}

void print(std::string& out, const String& text) {
  const char quote = text.quote == Quote::double_quote ? '"' : '\'';
  out += quote;
  out += text.text;
  out += quote;
}

bool is_name(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  return true;
}

/// A name that was quoted once can be quoted again by the quote that does not end it early.
void print_name(std::string& out, std::string_view name) {
  if (is_name(name)) {
    out += name;
    return;
  }
  bool ends = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size() && name[i + 1] == '"') {
      ++i;
    } else if (name[i] == '"') {
      ends = true;
    }
  }
  // A backslash before the closing quote would keep it open; only the quote it was written with allowed it.
  print(out, String{std::string(name), {}, ends ? Quote::single_quote : Quote::double_quote});
}

void print(std::string& out, const Array& array, int indent) {
  out += '[';
  for (std::size_t i = 0; i < array.items.size(); ++i) {
    if (i > 0) out += ", ";
    print(out, array.items[i], indent);
  }
  out += ']';
}

void print(std::string& out, const Hash& hash, int indent) {
  out += '{';
  for (const auto& entry : hash.entries) {
    new_line(out, indent + 1);
    print(out, entry.key, indent + 1);
    out += " => ";
    print(out, entry.value, indent + 1);
  }
  if (!hash.entries.empty()) new_line(out, indent);
  out += '}';
}

void print(std::string& out, const Value& value, int indent) {
  if (const auto* text = std::get_if<String>(&value.data)) print(out, *text);
  if (const auto* word = std::get_if<Bareword>(&value.data)) out += word->text;
  if (const auto* number = std::get_if<Number>(&value.data)) out += number->text;
  if (const auto* array = std::get_if<Array>(&value.data)) print(out, *array, indent);
  if (const auto* hash = std::get_if<Hash>(&value.data)) print(out, *hash, indent);
  if (const auto* plugin = std::get_if<std::unique_ptr<Plugin>>(&value.data)) print(out, **plugin, indent);
}

void print(std::string& out, const Plugin& plugin, int indent) {
  print_name(out, plugin.name);
  out += " {";
  for (const auto& attribute : plugin.attributes) {
    new_line(out, indent + 1);
    print_name(out, attribute.name);
    out += " => ";
    print(out, attribute.value, indent + 1);
  }
  if (!plugin.attributes.empty()) new_line(out, indent);
  out += '}';
}

void print(std::string& out, const Rvalue& value) {
  if (const auto* selector = std::get_if<Selector>(&value.data)) out += selector->text;
  if (const auto* text = std::get_if<String>(&value.data)) print(out, *text);
  if (const auto* number = std::get_if<Number>(&value.data)) out += number->text;
  if (const auto* array = std::get_if<Array>(&value.data)) print(out, *array, 0);
  if (const auto* regexp = std::get_if<Regexp>(&value.data)) out += "/" + regexp->pattern + "/";
}

void print_operand(std::string& out, const Expression& operand, bool bare) {
  if (bare || !std::holds_alternative<Logic>(operand.data)) return print(out, operand);
  out += '(';
  print(out, operand);
  out += ')';
}

void print_logic(std::string& out, const Logic& logic) {
  print_operand(out, *logic.left, false);
  out += fmt::format(" {} ", word_for(logic.operation));
  // A chain of one operator groups from the right by itself.
  const auto* right = std::get_if<Logic>(&logic.right->data);
  const bool chain = right != nullptr && right->operation == logic.operation &&
                     (logic.operation == LogicOperator::and_ || logic.operation == LogicOperator::or_);
  print_operand(out, *logic.right, chain);
}

void print(std::string& out, const Expression& expression) {
  if (const auto* logic = std::get_if<Logic>(&expression.data)) print_logic(out, *logic);
  if (const auto* negation = std::get_if<Not>(&expression.data)) {
    const auto* field = std::get_if<Truth>(&negation->operand->data);
    out += field == nullptr ? "!(" : "!";
    print(out, *negation->operand);
    if (field == nullptr) out += ')';
  }
  if (const auto* comparison = std::get_if<Comparison>(&expression.data)) {
    print(out, comparison->left);
    out += fmt::format(" {} ", word_for(comparison->operation));
    print(out, comparison->right);
  }
  if (const auto* membership = std::get_if<Membership>(&expression.data)) {
    print(out, membership->item);
    out += membership->negated ? " not in " : " in ";
    print(out, membership->list);
  }
  if (const auto* match = std::get_if<Match>(&expression.data)) {
    print(out, match->subject);
    out += match->negated ? " !~ " : " =~ ";
    print(out, match->pattern);
  }
  if (const auto* truth = std::get_if<Truth>(&expression.data)) out += truth->field.text;
}

void print_items(std::string& out, const std::vector<Item>& items, int indent) {
  for (const auto& item : items) {
    new_line(out, indent);
    if (const auto* plugin = std::get_if<Plugin>(&item)) {
      print(out, *plugin, indent);
      continue;
    }
    bool first = true;
    for (const auto& arm : std::get<Branch>(item).arms) {
      if (!first) out += " else ";
      first = false;
      if (arm.condition) {
        out += "if ";
        print(out, *arm.condition);
        out += ' ';
      }
      out += '{';
      print_items(out, arm.items, indent + 1);
      if (!arm.items.empty()) new_line(out, indent);
      out += '}';
    }
  }
}

}  // namespace

std::string to_text(const Configuration& configuration) {
  std::string out;
  const auto section = [&](std::string_view name, const std::vector<Item>& items) {
    if (items.empty()) return;
    out += fmt::format("{} {{", name);
    print_items(out, items, 1);
    out += "\n}\n";
  };
  section("input", configuration.inputs);
  section("filter", configuration.filters);
  section("output", configuration.outputs);
  return out;
}

std::string to_text(const Expression& expression) {
  std::string out;
  print(out, expression);
  return out;
}

std::string to_text(const Value& value) {
  std::string out;
  print(out, value, 0);
  return out;
}

}  // namespace enclave::pipeline::logstash
