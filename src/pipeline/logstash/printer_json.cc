#include <fmt/core.h>

#include "base/encoding.h"
#include "pipeline/logstash/printer.h"

namespace enclave::pipeline::logstash {
namespace {

class JsonPrinter {
 public:
  JsonPrinter(const Configuration& configuration, bool places) : configuration_(configuration), places_(places) {}

  void items(const std::vector<Item>& items) {
    list(items, [this](const Item& item) {
      if (const auto* of_plugin = std::get_if<Plugin>(&item)) return plugin(*of_plugin);
      out += "{\"branch\":";
      list(std::get<Branch>(item).arms, [this](const Arm& of_branch) { arm(of_branch); });
      out += '}';
    });
  }

  std::string out;

 private:
  template <class Items, class Each>
  void list(const Items& all, Each each) {
    out += '[';
    bool first = true;
    for (const auto& one : all) {
      if (!first) out += ',';
      first = false;
      each(one);
    }
    out += ']';
  }

  void text(std::string_view value) {
    out += '"';
    const bool readable = is_utf8(value);
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') out += '\\';
      if (byte < 0x20 || (byte >= 0x80 && !readable)) {
        out += fmt::format("\\u{:04x}", byte);
      } else {
        out += c;
      }
    }
    out += '"';
  }

  void at(const Position& position) {
    if (!places_) return;
    const Place place = configuration_.place(position);
    out += ",\"at\":";
    text(fmt::format("{}:{}:{}", place.file, place.line, place.column));
  }

  void number(const Number& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) {
      out += fmt::format("{}", *whole);
    } else {
      out += fmt::format("{}", std::get<double>(value.value));
    }
  }

  void value(const Value& any) {
    if (const auto* quoted = std::get_if<String>(&any.data)) text(quoted->text);
    if (const auto* word = std::get_if<Bareword>(&any.data)) text(word->text);
    if (const auto* digits = std::get_if<Number>(&any.data)) number(*digits);
    if (const auto* array = std::get_if<Array>(&any.data))
      list(array->items, [this](const Value& item) { value(item); });
    if (const auto* inner = std::get_if<std::unique_ptr<Plugin>>(&any.data)) plugin(**inner);
    const auto* hash = std::get_if<Hash>(&any.data);
    if (hash == nullptr) return;
    out += '{';
    for (const auto& entry : hash->entries) {
      if (&entry != hash->entries.data()) out += ',';
      const auto* quoted = std::get_if<String>(&entry.key.data);
      text(quoted != nullptr ? quoted->text : *text_of(entry.key));
      out += ':';
      value(entry.value);
    }
    out += '}';
  }

  void plugin(const Plugin& any) {
    out += "{\"plugin\":";
    text(any.name);
    at(any.position);
    out += ",\"settings\":";
    list(any.attributes, [this](const Attribute& attribute) {
      out += "{\"name\":";
      text(attribute.name);
      out += ",\"value\":";
      value(attribute.value);
      out += '}';
    });
    out += '}';
  }

  void arm(const Arm& any) {
    out += '{';
    if (any.condition) {
      out += "\"if\":";
      expression(*any.condition);
      out += ',';
    }
    out += "\"then\":";
    items(any.items);
    out += '}';
  }

  void operand(const Rvalue& any) {
    if (const auto* selector = std::get_if<Selector>(&any.data)) {
      out += "{\"field\":";
      text(selector->text);
      out += '}';
    }
    if (const auto* regexp = std::get_if<Regexp>(&any.data)) {
      out += "{\"pattern\":";
      text(regexp->pattern);
      out += '}';
    }
    if (const auto* quoted = std::get_if<String>(&any.data)) text(quoted->text);
    if (const auto* digits = std::get_if<Number>(&any.data)) number(*digits);
    if (const auto* array = std::get_if<Array>(&any.data))
      list(array->items, [this](const Value& item) { value(item); });
  }

  void binary(std::string_view operation, const Rvalue& left, const Rvalue& right) {
    out += fmt::format("[\"{}\",", operation);
    operand(left);
    out += ',';
    operand(right);
    out += ']';
  }

  void expression(const Expression& any) {
    if (const auto* logic = std::get_if<Logic>(&any.data)) {
      out += fmt::format("[\"{}\",", word_for(logic->operation));
      expression(*logic->left);
      out += ',';
      expression(*logic->right);
      out += ']';
    }
    if (const auto* negation = std::get_if<Not>(&any.data)) {
      out += "[\"!\",";
      expression(*negation->operand);
      out += ']';
    }
    if (const auto* comparison = std::get_if<Comparison>(&any.data))
      binary(word_for(comparison->operation), comparison->left, comparison->right);
    if (const auto* membership = std::get_if<Membership>(&any.data))
      binary(membership->negated ? "not in" : "in", membership->item, membership->list);
    if (const auto* match = std::get_if<Match>(&any.data))
      binary(match->negated ? "!~" : "=~", match->subject, match->pattern);
    if (const auto* truth = std::get_if<Truth>(&any.data)) operand(Rvalue{any.position, truth->field});
  }

  const Configuration& configuration_;
  bool places_;
};

}  // namespace

std::string to_json(const Configuration& configuration, bool places) {
  JsonPrinter printer(configuration, places);
  printer.out = "{\"inputs\":";
  printer.items(configuration.inputs);
  printer.out += ",\"filters\":";
  printer.items(configuration.filters);
  printer.out += ",\"outputs\":";
  printer.items(configuration.outputs);
  printer.out += '}';
  return std::move(printer.out);
}

}  // namespace enclave::pipeline::logstash
