#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

Place Configuration::place(const Position& position) const {
  return {position.file < files.size() ? files[position.file] : "", static_cast<int>(position.line),
          static_cast<int>(position.column)};
}

std::vector<const Attribute*> find_all(const Plugin& plugin, std::string_view name) {
  std::vector<const Attribute*> found;
  for (const auto& attribute : plugin.attributes)
    if (attribute.name == name) found.push_back(&attribute);
  return found;
}

const Attribute* find(const Plugin& plugin, std::string_view name) {
  const auto found = find_all(plugin, name);
  return found.empty() ? nullptr : found.back();
}

const std::string* text_of(const Value& value) {
  if (const auto* text = std::get_if<String>(&value.data)) return &text->value;
  if (const auto* word = std::get_if<Bareword>(&value.data)) return &word->text;
  if (const auto* number = std::get_if<Number>(&value.data)) return &number->text;
  return nullptr;
}

std::string_view word_for(LogicOperator operation) {
  constexpr std::string_view kWords[] = {"and", "or", "xor", "nand"};
  return kWords[static_cast<std::size_t>(operation)];
}

std::string_view word_for(CompareOperator operation) {
  constexpr std::string_view kWords[] = {"==", "!=", "<", ">", "<=", ">="};
  return kWords[static_cast<std::size_t>(operation)];
}

}  // namespace enclave::pipeline::logstash
