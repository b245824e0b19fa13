#include "pipeline/filebeat/value.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

namespace enclave::pipeline::filebeat {
namespace {

template <class Number>
bool parse_whole(std::string_view text, Number& into, int base) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return fault == std::errc() && end == text.data() + text.size();
}

bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

}  // namespace

bool Value::operator==(const Value& other) const { return data == other.data; }

const Value* Value::find(std::string_view key) const {
  if (const auto* members = map())
    for (const auto& [name, value] : *members)
      if (name == key) return &value;
  return nullptr;
}

Value value_of_plain(std::string_view text) {
  for (const auto word : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
    if (text == word) return {true};
  for (const auto word : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
    if (text == word) return {false};
  std::int64_t whole = 0;
  if (text.starts_with("0x") && parse_whole(text.substr(2), whole, 16)) return {whole};
  if (text.size() > 1 && text[0] == '0' && parse_whole(text, whole, 8)) return {whole};
  if (!is_decimal(text)) return {std::string(text)};
  if (parse_whole(text, whole, 10)) return {whole};
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc() && end == text.data() + text.size() && std::isfinite(number)) return {number};
  return {std::string(text)};
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string to_json(const Value& value) {
  if (value.is_null()) return "null";
  if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value.data)) return fmt::format("{}", *number);
  if (const auto* text = value.text()) return json_text(*text);
  std::string out;
  if (const auto* items = value.list()) {
    for (const auto& item : *items) out += (out.empty() ? "" : ", ") + to_json(item);
    return "[" + out + "]";
  }
  for (const auto& [key, member] : *value.map())
    out += (out.empty() ? "" : ", ") + json_text(key) + ": " + to_json(member);
  return "{" + out + "}";
}

}  // namespace enclave::pipeline::filebeat
