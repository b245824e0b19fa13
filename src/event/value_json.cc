#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "base/encoding.h"
#include "base/time.h"
#include "event/copy_plain.h"
#include "event/record.h"
#include "event/value.h"

namespace enclave::event {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// Turns simdjson's tape into values of an arena. The parser bounds the depth.
class Taker {
 public:
  explicit Taker(Arena& arena) : arena_(arena) {}

  Result<Value> take(element from) {
    if (++fields_ > kValueFieldsMax) return Error{Fault::limit, "JSON of more than {} fields", kValueFieldsMax};
    switch (from.type()) {
      case element_type::OBJECT:
        return take_map(from.get_object().value_unsafe());
      case element_type::ARRAY:
        return take_list(from.get_array().value_unsafe());
      case element_type::STRING:
        return Value::of(arena_.store(from.get_string().value_unsafe()));
      case element_type::INT64:
        return Value::of(from.get_int64().value_unsafe());
      case element_type::UINT64:
        return Value::of(static_cast<double>(from.get_uint64().value_unsafe()));
      case element_type::DOUBLE:
        return Value::of(from.get_double().value_unsafe());
      case element_type::BOOL:
        return Value::of(from.get_bool().value_unsafe());
      default:
        return Value();
    }
  }

 private:
  Result<Value> take_map(simdjson::dom::object from) {
    const Value map = Value::map(arena_, from.size());
    // Of a name that stands there twice the last one counts. Looking for it costs the square of the size, so a large
    // map is checked once, sorted.
    const bool large = from.size() > kLookedForMax;
    for (const auto member : from) {
      const Value value = TRY(take(member.value));
      const std::string_view name = arena_.store(member.key);
      if (large) {
        map.append_member(arena_, name, value);
      } else {
        map.set(arena_, name, value);
      }
    }
    if (large) map.keep_last_of_each(arena_);
    return map;
  }
  Result<Value> take_list(simdjson::dom::array from) {
    const Value list = Value::list(arena_, from.size());
    for (const auto item : from) list.append(arena_, TRY(take(item)));
    return list;
  }

  static constexpr std::size_t kLookedForMax = 64;
  Arena& arena_;
  std::size_t fields_ = 0;
};

void append_quoted(std::string_view text, std::string& out) {
  // Names and most values are short and plain: one copy, one look.
  constexpr std::size_t kShort = 64;
  if (text.size() <= kShort) {
    char plain[1 + kShort + kCopyOverrun + 1];
    if (copy_plain(text, plain + 1, false) == text.size()) {
      plain[0] = plain[1 + text.size()] = '"';
      out.append(plain, text.size() + 2);
      return;
    }
  }
  const std::size_t before = out.size();
  out += '"';
  if (try_append_json_escaped(out, text)) {
    out += '"';
  } else {
    out.resize(before);
    out += json_text(text);
  }
}

void append_integer(std::int64_t number, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

struct JsonReader::State {
  simdjson::dom::parser parser;
};

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;

Result<Value> JsonReader::read(std::string_view json, Arena& arena) {
  constexpr std::size_t kKeepBytes = 4 << 20;
  auto& parser = state_->parser;
  // One large text must not hold its memory for ever; an allocation also sets how deep a text may be.
  if (parser.max_depth() != kValueDepthMax || (parser.capacity() > kKeepBytes && json.size() < kKeepBytes)) {
    parser = simdjson::dom::parser();
    if (parser.allocate(std::max<std::size_t>(json.size(), 4096), kValueDepthMax) != simdjson::SUCCESS)
      return Error{Fault::limit, "JSON of {} bytes: no memory", json.size()};
  }
  element root;
  const auto code = parser.parse(json.data(), json.size()).get(root);
  if (code == simdjson::DEPTH_ERROR) return Error{Fault::limit, "JSON of more than {} levels", kValueDepthMax};
  if (code != simdjson::SUCCESS) return Error{Fault::corrupt, "not JSON: {}", simdjson::error_message(code)};
  return Taker(arena).take(root);
}

void append_time_ms(std::int64_t wall_ns, std::string& out) {
  const std::string text = format_time(wall_ns);
  // RFC 3339 with nine digits and Z: six of them go.
  out.append(text, 0, text.size() - 7);
  out += 'Z';
}

void append_real(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char digits[32];
  const double size = std::fabs(value);
  if (size == 0 || (size >= 1e-3 && size < 1e7)) {
    const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    if (text.find('.') == std::string_view::npos) out += ".0";
    return;
  }
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  const auto e = text.find('e');
  const std::string_view mantissa = text.substr(0, e);
  out += mantissa;
  if (mantissa.find('.') == std::string_view::npos) out += ".0";
  int exponent = 0;
  const char* from = text.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, end, exponent);
  out += 'E';
  append_integer(exponent, out);
}

void append_json(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += value.boolean() ? "true" : "false";
      break;
    case Kind::integer:
      append_integer(value.integer(), out);
      break;
    case Kind::real:
      if (std::isfinite(value.real())) {
        append_real(value.real(), out);
      } else {
        out += "null";
      }
      break;
    case Kind::text:
      append_quoted(value.text(), out);
      break;
    case Kind::time:
      out += '"';
      append_time_ms(value.wall_ns(), out);
      out += '"';
      break;
    case Kind::list: {
      out += '[';
      bool first = true;
      for (const Value& item : value.items()) {
        if (!std::exchange(first, false)) out += ',';
        append_json(item, out);
      }
      out += ']';
      break;
    }
    case Kind::map: {
      out += '{';
      bool first = true;
      for (const Member& member : value.members()) {
        if (!std::exchange(first, false)) out += ',';
        append_quoted(member.name, out);
        out += ':';
        append_json(member.value, out);
      }
      out += '}';
      break;
    }
  }
}

void append_text(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Kind::text:
      out += value.text();
      break;
    case Kind::real:
      append_real(value.real(), out);
      break;
    case Kind::time:
      append_time_ms(value.wall_ns(), out);
      break;
    case Kind::list: {
      bool first = true;
      for (const Value& item : value.items()) {
        if (!std::exchange(first, false)) out += ',';
        append_text(item, out);
      }
      break;
    }
    case Kind::null:
      break;
    default:
      append_json(value, out);
  }
}

}  // namespace enclave::event
