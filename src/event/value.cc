#include "event/value.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace enclave::event {
namespace {

/// Twice the room, in new memory: the old stays until the arena is cleared.
template <class T>
void grow(Arena& arena, T*& items, std::uint32_t size, std::uint32_t& room) {
  room = std::max<std::uint32_t>(room * 2, 4);
  T* const more = arena.room_for<T>(room);
  if (size > 0) std::memcpy(static_cast<void*>(more), items, size * sizeof(T));
  items = more;
}

/// Of the names from `from` on, one step of them, those that may be the one of this look.
unsigned alike_of(const MapBody& body, std::uint32_t from, std::uint8_t look) {
  const std::uint32_t left = std::min<std::uint32_t>(body.size - from, MapBody::kStep);
#if defined(__x86_64__)
  const __m128i looks = _mm_loadu_si128(reinterpret_cast<const __m128i*>(body.looks + from));
  const __m128i alike = _mm_cmpeq_epi8(looks, _mm_set1_epi8(static_cast<char>(look)));
  return static_cast<unsigned>(_mm_movemask_epi8(alike)) & ((1U << left) - 1);
#else
  unsigned alike = 0;
  for (std::uint32_t i = 0; i < left; ++i) alike |= static_cast<unsigned>(body.looks[from + i] == look) << i;
  return alike;
#endif
}

}  // namespace

std::string_view name_of(Kind kind) {
  constexpr std::string_view kNames[] = {"null",   "a boolean", "a whole number", "a number",
                                         "a text", "a time",    "a list",         "a map"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value Value::list(Arena& arena, std::size_t room) {
  Value out(Kind::list);
  out.data_.list = new (arena.room_for<ListBody>(1)) ListBody;
  out.data_.list->room = static_cast<std::uint32_t>(room);
  if (room > 0) out.data_.list->items = arena.room_for<Value>(room);
  return out;
}

Value Value::map(Arena& arena, std::size_t room) {
  Value out(Kind::map);
  out.data_.map = new (arena.room_for<MapBody>(1)) MapBody;
  if (room > 0) out.data_.map->make_room(arena, room);
  return out;
}

void MapBody::make_room(Arena& arena, std::size_t wanted) {
  auto* const more = arena.room_for<Member>(wanted);
  auto* const more_looks = arena.room_for<std::uint8_t>((wanted + kStep - 1) / kStep * kStep);
  if (size > 0) {
    std::memcpy(static_cast<void*>(more), members, size * sizeof(Member));
    std::memcpy(more_looks, looks, size);
  }
  members = more;
  looks = more_looks;
  room = static_cast<std::uint32_t>(wanted);
}

void Value::append(Arena& arena, Value item) const {
  ListBody& body = *data_.list;
  if (body.size == body.room) grow(arena, body.items, body.size, body.room);
  new (body.items + body.size++) Value(item);
}

void Value::erase_item(std::size_t at) const {
  ListBody& body = *data_.list;
  std::copy(body.items + at + 1, body.items + body.size, body.items + at);
  --body.size;
}

Value* Value::find(std::string_view name) const {
  const MapBody& body = *data_.map;
  const std::uint8_t look = MapBody::look_of(name);
  for (std::uint32_t from = 0; from < body.size; from += MapBody::kStep) {
    for (unsigned alike = alike_of(body, from, look); alike != 0; alike &= alike - 1) {
      Member& member = body.members[from + static_cast<unsigned>(std::countr_zero(alike))];
      if (member.name.data() == name.data() && member.name.size() == name.size()) return &member.value;
      if (member.name == name) return &member.value;
    }
  }
  return nullptr;
}

void Value::set(Arena& arena, std::string_view name, Value value) const {
  if (Value* const known = find(name)) {
    *known = value;
    return;
  }
  append_member(arena, name, value);
}

void Value::keep_last_of_each(Arena& arena) const {
  MapBody& body = *data_.map;
  auto* const order = arena.room_for<std::uint32_t>(body.size);
  std::iota(order, order + body.size, 0U);
  std::sort(order, order + body.size, [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(body.members[a].name, a) < std::pair(body.members[b].name, b);
  });
  // The first place of a name takes the last value, as set() would have it; the others go.
  auto* const keep = arena.room_for<bool>(body.size);
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < body.size; ++i) {
    Member& member = body.members[order[i]];
    keep[order[i]] = i == 0 || member.name != body.members[first].name;
    if (keep[order[i]]) {
      first = order[i];
    } else {
      body.members[first].value = member.value;
    }
  }
  std::uint32_t to = 0;
  for (std::uint32_t i = 0; i < body.size; ++i)
    if (keep[i]) {
      body.looks[to] = body.looks[i];
      body.members[to++] = body.members[i];
    }
  body.size = to;
}

bool Value::erase(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) return false;
  MapBody& body = *data_.map;
  const auto at = std::ranges::find(members(), value, [](const Member& member) { return &member.value; });
  const auto index = at - members().begin();
  std::copy(body.members + index + 1, body.members + body.size, body.members + index);
  std::copy(body.looks + index + 1, body.looks + body.size, body.looks + index);
  --body.size;
  return true;
}

Value copy_value(const Value& value, Arena& arena) {
  switch (value.kind()) {
    case Kind::text:
      return Value::of(arena.store(value.text()));
    case Kind::list: {
      const Value copy = Value::list(arena, value.items().size());
      for (const Value& item : value.items()) copy.append(arena, copy_value(item, arena));
      return copy;
    }
    case Kind::map: {
      const Value copy = Value::map(arena, value.members().size());
      for (const Member& member : value.members())
        copy.set(arena, arena.store(member.name), copy_value(member.value, arena));
      return copy;
    }
    default:
      return value;
  }
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) {
    if (a.is(Kind::integer) && b.is(Kind::real)) return static_cast<double>(a.integer()) == b.real();
    return a.is(Kind::real) && b.is(Kind::integer) && b == a;
  }
  switch (a.kind()) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return a.boolean() == b.boolean();
    case Kind::integer:
    case Kind::time:
      return a.integer() == b.integer();
    case Kind::real:
      return a.real() == b.real();
    case Kind::text:
      return a.text() == b.text();
    case Kind::list:
      return std::ranges::equal(a.items(), b.items());
    case Kind::map:
      return a.members().size() == b.members().size() && std::ranges::all_of(a.members(), [&](const Member& member) {
               const Value* const other = b.find(member.name);
               return other != nullptr && *other == member.value;
             });
  }
  return false;
}

}  // namespace enclave::event
