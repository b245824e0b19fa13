#include "pipeline/logstash/variables.h"

#include <algorithm>

namespace enclave::pipeline::logstash {
namespace {

bool is_first(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.'; }

struct Reference {
  std::string_view name;
  std::optional<std::string_view> fallback;
  std::size_t bytes = 0;  ///< from "${" to "}"
};

std::optional<Reference> reference_at(std::string_view text) {
  std::size_t end = 2;
  while (end < text.size() && (is_first(text[end]) || (end > 2 && text[end] >= '0' && text[end] <= '9'))) ++end;
  if (end == 2 || end == text.size()) return std::nullopt;
  Reference out;
  out.name = text.substr(2, end - 2);
  if (text[end] == '}') {
    out.bytes = end + 1;
    return out;
  }
  const std::size_t close = text.find('}', end);
  if (text[end] != ':' || close == std::string_view::npos) return std::nullopt;
  out.fallback = text.substr(end + 1, close - end - 1);
  out.bytes = close + 1;
  return out;
}

class Substituter {
 public:
  Substituter(Configuration& configuration, const Variables& variables, Diagnostics& diagnostics)
      : configuration_(configuration), variables_(variables), diagnostics_(diagnostics) {}

  void items(std::vector<Item>& items) {
    for (auto& item : items) {
      if (auto* of_plugin = std::get_if<Plugin>(&item)) {
        plugin(*of_plugin);
        continue;
      }
      for (auto& arm : std::get<Branch>(item).arms) {
        if (arm.condition) condition(*arm.condition);
        this->items(arm.items);
      }
    }
  }

 private:
  void text(String& any, const Position& position) {
    if (any.value.find("${") == std::string::npos) return;
    auto replaced = substitute(any.value, variables_);
    if (replaced) {
      any.value = std::move(*replaced);
    } else {
      diagnostics_.error(configuration_.place(position), replaced.error().text());
    }
  }

  void value(Value& any) {
    if (auto* quoted = std::get_if<String>(&any.data)) text(*quoted, any.position);
    if (auto* array = std::get_if<Array>(&any.data))
      for (auto& item : array->items) value(item);
    if (auto* hash = std::get_if<Hash>(&any.data))
      for (auto& entry : hash->entries) value(entry.value);
    if (auto* inner = std::get_if<std::unique_ptr<Plugin>>(&any.data)) plugin(**inner);
  }

  void plugin(Plugin& any) {
    for (auto& attribute : any.attributes) value(attribute.value);
  }

  void operand(Rvalue& any) {
    if (auto* quoted = std::get_if<String>(&any.data)) text(*quoted, any.position);
    if (auto* array = std::get_if<Array>(&any.data))
      for (auto& item : array->items) value(item);
  }

  void condition(Expression& any) {
    if (auto* logic = std::get_if<Logic>(&any.data)) {
      condition(*logic->left);
      condition(*logic->right);
    }
    if (auto* negation = std::get_if<Not>(&any.data)) condition(*negation->operand);
    if (auto* comparison = std::get_if<Comparison>(&any.data)) {
      operand(comparison->left);
      operand(comparison->right);
    }
    if (auto* membership = std::get_if<Membership>(&any.data)) {
      operand(membership->item);
      operand(membership->list);
    }
    if (auto* match = std::get_if<Match>(&any.data)) {
      operand(match->subject);
      operand(match->pattern);
    }
  }

  Configuration& configuration_;
  const Variables& variables_;
  Diagnostics& diagnostics_;
};

}  // namespace

Result<std::string> substitute(std::string_view text, const Variables& variables) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find("${"), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    const auto reference = reference_at(text);
    if (!reference) {
      out += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    std::optional<std::string> found;
    if (variables.keystore) found = variables.keystore(reference->name);
    if (!found && variables.environment) found = variables.environment(reference->name);
    if (!found && reference->fallback) found = std::string(*reference->fallback);
    if (!found)
      return Error{Fault::absent,
                   "${{{0}}} stands neither in the keystore nor in the environment; set it, or write ${{{0}:default}}",
                   reference->name};
    out += *found;
    if (out.size() > kSubstitutedBytesMax)
      return Error{Fault::limit, "${{{}}} makes a value of more than {} bytes", reference->name, kSubstitutedBytesMax};
    text.remove_prefix(reference->bytes);
  }
  return out;
}

void substitute_all(Configuration& configuration, const Variables& variables, Diagnostics& diagnostics) {
  Substituter substituter(configuration, variables, diagnostics);
  substituter.items(configuration.inputs);
  substituter.items(configuration.filters);
  substituter.items(configuration.outputs);
}

}  // namespace enclave::pipeline::logstash
