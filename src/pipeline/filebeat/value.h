#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/options.h"

/// Values whose kind counts: `fields: {level: 1}` gives events a number, `level: "1"` a text.
namespace enclave::pipeline::filebeat {

struct Value {
  struct Member;
  using List = std::vector<Value>;
  using Map = std::vector<Member>;  ///< in the order of the file
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data;

  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  const std::string* text() const { return std::get_if<std::string>(&data); }
  const List* list() const { return std::get_if<List>(&data); }
  const Map* map() const { return std::get_if<Map>(&data); }
  /// The member of a map; nullptr when there is none, or this is no map.
  const Value* find(std::string_view key) const;
  bool operator==(const Value& other) const;
};
struct Value::Member {
  Member(std::string_view name, Value of) : first(name), second(std::move(of)) {}
  bool operator==(const Member&) const = default;
  std::string first;
  Value second;
};

/// What YAML takes the plain scalar `text` for: true, 12, 0x1f, 1.5, or else a text.
Value value_of_plain(std::string_view text);

std::string json_text(std::string_view text);
/// One line of JSON.
std::string to_json(const Value& value);

}  // namespace enclave::pipeline::filebeat
