#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/arena.h"

/// The values of an event's fields. They and all that they point to live in an Arena, so they are copied by the word
/// and never destroyed.
namespace enclave::event {

enum class Kind : std::uint8_t { null, boolean, integer, real, text, time, list, map };

/// The name of a kind as messages show it: "a text", "a list".
std::string_view name_of(Kind kind);

struct Member;
struct ListBody;
struct MapBody;

/// 16 bytes. A copy of a list or map is the same list or map: use copy_value() for a second one.
class Value {
 public:
  Value() = default;
  static Value of(bool value) {
    Value out(Kind::boolean);
    out.data_.boolean = value;
    return out;
  }
  static Value of(std::int64_t value) {
    Value out(Kind::integer);
    out.data_.integer = value;
    return out;
  }
  static Value of(double value) {
    Value out(Kind::real);
    out.data_.real = value;
    return out;
  }
  /// The bytes are not copied. At most 4 GiB - 1.
  static Value of(std::string_view text) {
    ENSURE(text.size() <= std::numeric_limits<std::uint32_t>::max());
    Value out(Kind::text);
    out.size_ = static_cast<std::uint32_t>(text.size());
    out.data_.text = text.data();
    return out;
  }
  static Value time(std::int64_t wall_ns) {
    Value out(Kind::time);
    out.data_.integer = wall_ns;
    return out;
  }
  static Value list(Arena& arena, std::size_t room = 4);
  static Value map(Arena& arena, std::size_t room = 8);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool boolean() const { return data_.boolean; }
  std::int64_t integer() const { return data_.integer; }
  double real() const { return data_.real; }
  std::string_view text() const { return {data_.text, size_}; }
  std::int64_t wall_ns() const { return data_.integer; }
  std::span<Value> items() const;
  std::span<Member> members() const;

  /// Of a list.
  void append(Arena& arena, Value item) const;
  /// `at` < items().size().
  void erase_item(std::size_t at) const;
  /// Of a map: null when there is none of that name.
  Value* find(std::string_view name) const;
  /// Of a map: replaces or adds. The name is not copied.
  void set(Arena& arena, std::string_view name, Value value) const;
  /// Of a map: adds without looking whether there is one of that name; keep_last_of_each() must follow.
  void append_member(Arena& arena, std::string_view name, Value value) const;
  void keep_last_of_each(Arena& arena) const;
  /// Of a map, keeping the others' order; false when there is none.
  bool erase(std::string_view name) const;

 private:
  explicit Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::null;
  std::uint32_t size_ = 0;
  union {
    bool boolean;
    std::int64_t integer;
    double real;
    const char* text;
    ListBody* list;
    MapBody* map;
  } data_ = {.integer = 0};
};

struct Member {
  std::string_view name;
  Value value;
};
struct ListBody {
  Value* items = nullptr;
  std::uint32_t size = 0, room = 0;
};
/// Beside its members a map has a byte of each name, so that many are looked at in one step, hit or miss.
struct MapBody {
  static constexpr std::size_t kStep = 16;
  Member* members = nullptr;
  std::uint8_t* looks = nullptr;  ///< room for whole steps
  std::uint32_t size = 0, room = 0;

  static std::uint8_t look_of(std::string_view name) {
    if (name.empty()) return 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(name[at]); };
    return static_cast<std::uint8_t>(name.size() * 31 + byte(0) * 7U + byte(name.size() / 2) * 3U +
                                     byte(name.size() - 1) * 13U);
  }
  void make_room(Arena& arena, std::size_t wanted);
};

inline std::span<Value> Value::items() const { return {data_.list->items, data_.list->size}; }
inline std::span<Member> Value::members() const { return {data_.map->members, data_.map->size}; }
inline void Value::append_member(Arena& arena, std::string_view name, Value value) const {
  MapBody& body = *data_.map;
  if (body.size == body.room) body.make_room(arena, std::max<std::size_t>(body.room * std::size_t{2}, 4));
  body.looks[body.size] = MapBody::look_of(name);
  new (body.members + body.size++) Member{name, value};
}

/// With all that is below it, texts too; into an arena that may be another one.
Value copy_value(const Value& value, Arena& arena);
/// Integers equal reals of the same number; maps are equal whatever their order.
bool operator==(const Value& a, const Value& b);

inline constexpr std::size_t kValueDepthMax = 1000;
inline constexpr std::size_t kValueFieldsMax = 100'000;  ///< members and items of one JSON text, all levels together

/// One JSON text (RFC 8259), surrounded by white space at most. Whole numbers beyond 64 bits become reals. Texts with
/// escapes and names are copied into the arena, and so are all others. Fault::corrupt with the reason; Fault::limit for
/// more than kValueDepthMax levels or kValueFieldsMax fields.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  Result<Value> read(std::string_view json, Arena& arena);
  /// The same for a text behind which Batch::kPadding more bytes can be read, whatever they are: without a copy of it.
  Result<Value> read_padded(std::string_view json, Arena& arena);

 private:
  struct State;
  Result<Value> read(std::string_view json, Arena& arena, bool padded);
  std::unique_ptr<State> state_;
};

/// Appends JSON without white space; times as texts in RFC 3339 with milliseconds, as Logstash writes them; bytes that
/// are not UTF-8 as U+FFFD; reals that JSON cannot say (NaN) as null.
void append_json(const Value& value, std::string& out);
/// Appends what a text reference shows: texts as they are, lists with commas between, maps as JSON.
void append_text(const Value& value, std::string& out);
/// "2026-11-23T09:26:33.123Z"
void append_time_ms(std::int64_t wall_ns, std::string& out);
/// As Java shows a double, which is how Logstash shows it: "1.0", "1.0E10".
void append_real(double value, std::string& out);

}  // namespace enclave::event
