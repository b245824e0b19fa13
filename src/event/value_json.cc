#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "event/batch.h"
#include "event/value.h"

namespace enclave::event {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

/// Turns simdjson's tape into values of an arena. The parser bounds the depth.
class Taker {
 public:
  explicit Taker(Arena& arena) : arena_(arena) {}

  /// False: there are too many fields.
  bool take(element from, Value& into, std::size_t spare = 0) {
    if (++fields_ > kValueFieldsMax) return false;
    switch (from.type()) {
      case element_type::OBJECT:
        return take_map(from.get_object().value_unsafe(), into, spare);
      case element_type::ARRAY:
        return take_list(from.get_array().value_unsafe(), into);
      case element_type::STRING:
        into = Value::of(arena_.store(from.get_string().value_unsafe()));
        break;
      case element_type::INT64:
        into = Value::of(from.get_int64().value_unsafe());
        break;
      case element_type::UINT64:
        into = Value::of(static_cast<double>(from.get_uint64().value_unsafe()));
        break;
      case element_type::DOUBLE:
        into = Value::of(from.get_double().value_unsafe());
        break;
      case element_type::BOOL:
        into = Value::of(from.get_bool().value_unsafe());
        break;
      default:
        into = Value();
    }
    return true;
  }

 private:
  bool take_map(simdjson::dom::object from, Value& into, std::size_t spare) {
    const Value map = into = Value::map(arena_, from.size() + spare);
    // Of a name that stands there twice the last one counts. Looking for it costs the square of the size, so a large
    // map is checked once, sorted.
    const bool large = from.size() > kLookedForMax;
    for (const auto member : from) {
      Value value;
      if (!take(member.value, value)) return false;
      const std::string_view name = arena_.store(member.key);
      if (large) {
        map.append_member(arena_, name, value);
      } else {
        map.set(arena_, name, value);
      }
    }
    if (large) map.keep_last_of_each(arena_);
    return true;
  }

  bool take_list(simdjson::dom::array from, Value& into) {
    const Value list = into = Value::list(arena_, from.size());
    for (const auto item : from) {
      Value value;
      if (!take(item, value)) return false;
      list.append(arena_, value);
    }
    return true;
  }

  static constexpr std::size_t kLookedForMax = 64;
  Arena& arena_;
  std::size_t fields_ = 0;
};

}  // namespace

static_assert(Batch::kPadding >= simdjson::SIMDJSON_PADDING);

struct JsonReader::State {
  simdjson::dom::parser parser;
};

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;

Result<Value> JsonReader::read(std::string_view json, Arena& arena) { return read(json, arena, false); }
Result<Value> JsonReader::read_padded(std::string_view json, Arena& arena) { return read(json, arena, true); }

Result<Value> JsonReader::read(std::string_view json, Arena& arena, bool padded) {
  constexpr std::size_t kKeepBytes = 4 << 20;
  auto& parser = state_->parser;
  // One large text must not hold its memory for ever; an allocation also sets how deep a text may be.
  if (parser.max_depth() != kValueDepthMax || (parser.capacity() > kKeepBytes && json.size() < kKeepBytes)) {
    parser = simdjson::dom::parser();
    if (parser.allocate(std::max<std::size_t>(json.size(), 4096), kValueDepthMax) != simdjson::SUCCESS)
      return Error{Fault::limit, "JSON of {} bytes: no memory", json.size()};
  }
  element root;
  const auto code = parser.parse(json.data(), json.size(), !padded).get(root);
  if (code == simdjson::DEPTH_ERROR) return Error{Fault::limit, "JSON of more than {} levels", kValueDepthMax};
  if (code != simdjson::SUCCESS) return Error{Fault::corrupt, "not JSON: {}", simdjson::error_message(code)};
  // What made the event adds some of its own.
  constexpr std::size_t kSpareMembers = 6;
  Value value;
  if (!Taker(arena).take(root, value, kSpareMembers))
    return Error{Fault::limit, "JSON of more than {} fields", kValueFieldsMax};
  return value;
}

}  // namespace enclave::event
