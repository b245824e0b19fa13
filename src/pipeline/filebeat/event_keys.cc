#include "pipeline/filebeat/event_keys.h"

#include "base/time.h"

namespace enclave::pipeline::filebeat {
namespace {

using event::Arena;
using event::Kind;
using event::Member;

/// The map that holds the last name of `key`, which is left in it.
const event::Value* holder(Arena* arena, const event::Value& map, std::string_view& key) {
  const event::Value* at = &map;
  for (;;) {
    if (!at->is(Kind::map)) return nullptr;
    if (at->find(key) != nullptr) return at;
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos) return at;
    const std::string_view name = key.substr(0, dot);
    const event::Value* next = at->find(name);
    if (next == nullptr) {
      if (arena == nullptr) return nullptr;
      at->set(*arena, name, event::Value::map(*arena));
      next = at->find(name);
    }
    at = next;
    key.remove_prefix(dot + 1);
  }
}

}  // namespace

event::Value* find_key(const event::Value& map, std::string_view key) {
  const event::Value* in = holder(nullptr, map, key);
  return in == nullptr ? nullptr : in->find(key);
}

bool put_key(Arena& arena, const event::Value& map, std::string_view key, event::Value value) {
  const event::Value* in = holder(&arena, map, key);
  if (in == nullptr) return false;
  in->set(arena, key, value);
  return true;
}

bool erase_key(const event::Value& map, std::string_view key) {
  const event::Value* in = holder(nullptr, map, key);
  return in != nullptr && in->erase(key);
}

void merge_maps(Arena& arena, const event::Value& into, const event::Value& from, bool overwrite) {
  for (const Member& member : from.members()) {
    event::Value* const there = into.find(member.name);
    if (there == nullptr) {
      into.set(arena, member.name, member.value);
    } else if (there->is(Kind::map) && member.value.is(Kind::map)) {
      merge_maps(arena, *there, member.value, overwrite);
    } else if (overwrite) {
      *there = member.value;
    }
  }
}

event::Value expanded_keys(Arena& arena, const event::Value& map) {
  const event::Value out = event::Value::map(arena, map.members().size());
  for (const Member& member : map.members()) {
    const event::Value value = member.value.is(Kind::map) ? expanded_keys(arena, member.value) : member.value;
    event::Value* const there = find_key(out, member.name);
    if (there != nullptr && there->is(Kind::map) && value.is(Kind::map)) {
      merge_maps(arena, *there, value, true);
    } else if (!put_key(arena, out, member.name, value)) {
      out.set(arena, member.name, value);
    }
  }
  return out;
}

event::Value event_value(const Value& value, Arena& arena, bool keep_null) {
  if (const auto* flag = std::get_if<bool>(&value.data)) return event::Value::of(*flag);
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return event::Value::of(*whole);
  if (const auto* real = std::get_if<double>(&value.data)) return event::Value::of(*real);
  if (const auto* text = value.text()) return event::Value::of(std::string_view(*text));
  if (const auto* items = value.list()) {
    const event::Value out = event::Value::list(arena, items->size());
    for (const auto& item : *items) out.append(arena, event_value(item, arena, keep_null));
    return out;
  }
  if (const auto* members = value.map()) {
    const event::Value out = event::Value::map(arena, members->size());
    for (const auto& [name, member] : *members)
      if (keep_null || !member.is_null()) out.set(arena, name, event_value(member, arena, keep_null));
    return out;
  }
  return {};
}

std::optional<double> number_of(const event::Value& value) {
  if (value.is(Kind::integer)) return static_cast<double>(value.integer());
  if (value.is(Kind::real)) return value.real();
  return std::nullopt;
}

event::Value json_error(Arena& arena, std::string_view text) {
  const event::Value error = event::Value::map(arena, 2);
  error.set(arena, "message", event::Value::of(arena.store(text)));
  error.set(arena, "type", event::Value::of(std::string_view("json")));
  return error;
}

void write_json_keys(event::Document& event, const event::Value& object, bool overwrite, bool add_error) {
  Arena& arena = event.arena();
  const auto complain = [&](std::string_view text) {
    if (add_error) event.set("error", json_error(arena, text));
  };
  for (const Member& member : object.members()) {
    event::Value* const there = event.find(member.name);
    if (!overwrite) {
      if (there == nullptr && member.name != event::kTimeField && member.name != event::kMetadataField) {
        event.set(member.name, member.value);
      } else if (there != nullptr && there->is(Kind::map) && member.value.is(Kind::map) &&
                 member.name != event::kMetadataField) {
        merge_maps(arena, *there, member.value, false);
      }
      continue;
    }
    if (member.name == event::kTimeField) {
      const auto time = member.value.is(Kind::text) ? parse_time(member.value.text())
                                                    : Result<std::int64_t>(Error{Fault::invalid, "not a text"});
      if (time) {
        event.set_wall_ns(*time);
      } else {
        complain("@timestamp not overwritten (parse error)");
      }
    } else if (member.name == event::kMetadataField) {
      if (!member.value.is(Kind::map)) {
        complain("failed to update @metadata");
      } else if (there != nullptr && there->is(Kind::map)) {
        merge_maps(arena, *there, member.value, true);
      } else {
        event.set(member.name, member.value);
      }
    } else if (member.name == "type" &&
               (!member.value.is(Kind::text) || member.value.text().empty() || member.value.text()[0] == '_')) {
      complain("type not overwritten (invalid value)");
    } else if (there != nullptr && there->is(Kind::map) && member.value.is(Kind::map)) {
      merge_maps(arena, *there, member.value, true);
    } else {
      event.set(member.name, member.value);
    }
  }
}

}  // namespace enclave::pipeline::filebeat
