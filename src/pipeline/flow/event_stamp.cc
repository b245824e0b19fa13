#include "pipeline/flow/event_stamp.h"

#include <algorithm>
#include <charconv>

namespace enclave::pipeline {

using event::Kind;
using event::Value;

namespace {

/// Of members that filters add to an event: then its map need not grow.
constexpr std::size_t kSpareMembers = 14;

bool has_mark(std::string_view text, const LineMarks& marks) {
  return text.find(marks.line) != std::string_view::npos ||
         text.find(std::to_string(marks.offset)) != std::string_view::npos;
}

}  // namespace

std::optional<EventStamp> EventStamp::make(const event::Document& like, const LineMarks& marks, event::Arena& arena) {
  if (like.cancelled) return std::nullopt;
  EventStamp stamp;
  if (!stamp.add(event::copy_value(like.root(), arena), marks)) return std::nullopt;
  return stamp;
}

std::optional<std::uint32_t> EventStamp::add(const Value& container, const LineMarks& marks) {
  Container made{container, {}};
  std::uint32_t at = 0;
  if (container.is(Kind::map)) {
    for (const event::Member& member : container.members()) {
      if (has_mark(member.name, marks)) return std::nullopt;
      if (!add_value(member.value, at++, marks, made.places)) return std::nullopt;
    }
  } else {
    for (const Value& item : container.items())
      if (!add_value(item, at++, marks, made.places)) return std::nullopt;
  }
  containers_.push_back(std::move(made));
  return static_cast<std::uint32_t>(containers_.size() - 1);
}

bool EventStamp::add_value(const Value& value, std::uint32_t at, const LineMarks& marks, std::vector<Place>& places) {
  if (value.is(Kind::map) || value.is(Kind::list)) {
    const auto inner = add(value, marks);
    if (inner) places.push_back({at, Gap::container, *inner});
    return inner.has_value();
  }
  if (value.is(Kind::text) && value.text() == marks.line) {
    places.push_back({at, Gap::line, 0});
  } else if (value.is(Kind::integer) && value.integer() == marks.offset) {
    places.push_back({at, Gap::offset, 0});
  } else if (value.is(Kind::text)) {
    return !has_mark(value.text(), marks);
  }
  return true;
}

event::Document EventStamp::stamp(const event::Event& from, event::Arena& arena) const {
  return {arena, copy(containers_.back(), from, arena, kSpareMembers)};
}

Value EventStamp::copy(const Container& container, const event::Event& from, event::Arena& arena,
                       std::size_t spare) const {
  if (container.like.is(Kind::map)) {
    const auto members = container.like.members();
    const Value map = Value::map(arena, members.size() + spare);
    for (const event::Member& member : members) map.append_member(arena, member.name, member.value);
    for (const Place& place : container.places) map.members()[place.at].value = fill(place, from, arena);
    return map;
  }
  const auto items = container.like.items();
  const Value list = Value::list(arena, items.size());
  for (const Value& item : items) list.append(arena, item);
  for (const Place& place : container.places) list.items()[place.at] = fill(place, from, arena);
  return list;
}

Value EventStamp::fill(const Place& place, const event::Event& from, event::Arena& arena) const {
  switch (place.gap) {
    case Gap::line:
      return Value::of(from.raw);
    case Gap::offset:
      return Value::of(static_cast<std::int64_t>(from.offset));
    case Gap::container:
      break;
  }
  return copy(containers_[place.container], from, arena, 0);
}

}  // namespace enclave::pipeline
