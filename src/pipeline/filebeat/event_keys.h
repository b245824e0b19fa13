#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "event/document.h"
#include "pipeline/filebeat/value.h"

/// Fields of events by Filebeat's names: "a.b.c" is the field c in b in a, or one that is called so as a whole.
namespace enclave::pipeline::filebeat {

/// Null when there is nothing.
event::Value* find_key(const event::Value& map, std::string_view key);
/// Maps on the way are made. The key is not copied. False when something that is no map stands in the way.
bool put_key(event::Arena& arena, const event::Value& map, std::string_view key, event::Value value);
bool erase_key(const event::Value& map, std::string_view key);
/// Adds the members of `from`, maps into maps. What is there already stays, unless `overwrite`.
void merge_maps(event::Arena& arena, const event::Value& into, const event::Value& from, bool overwrite);
/// "a.b": 1 as "a": {"b": 1}, at every level.
event::Value expanded_keys(event::Arena& arena, const event::Value& map);

/// Of the configuration; texts are not copied. Nulls are left out of maps unless `keep_null`.
event::Value event_value(const Value& value, event::Arena& arena, bool keep_null = false);

/// What a value is as a number; texts are not read.
std::optional<double> number_of(const event::Value& value);

/// Puts the members of a decoded JSON object where Filebeat puts them when they go under the root: "@timestamp" must be
/// a time in RFC 3339, "@metadata" a map, "type" a text; otherwise an error field says so if `add_error`.
void write_json_keys(event::Document& event, const event::Value& object, bool overwrite, bool add_error);
/// error.message and error.type.
event::Value json_error(event::Arena& arena, std::string_view text);

}  // namespace enclave::pipeline::filebeat
