#include "pipeline/event_line.h"

#include <utility>

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

void append_java(const Value& value, std::string& out) {
  bool first = true;
  const auto comma = [&] {
    if (!std::exchange(first, false)) out += ", ";
  };
  if (value.is(Kind::map)) {
    out += '{';
    for (const event::Member& member : value.members()) {
      comma();
      out += member.name;
      out += '=';
      append_java(member.value, out);
    }
    out += '}';
  } else if (value.is(Kind::list)) {
    out += '[';
    for (const Value& item : value.items()) {
      comma();
      append_java(item, out);
    }
    out += ']';
  } else if (value.is(Kind::null)) {
    out += "null";
  } else {
    append_text(value, out);
  }
}

void append_field(const event::Document& event, std::string_view name, std::string& out) {
  const Value* const value = event.find(name);
  if (value != nullptr && !value->is(Kind::null)) return append_java(*value, out);
  out += "%{";
  out += name;
  out += '}';
}

}  // namespace

void append_event_line(const event::Document& event, std::string& out) {
  if (const Value* const time = event.find(event::kTimeField); time != nullptr && time->is(Kind::time)) {
    event::append_time_ms(time->wall_ns(), out);
    out += ' ';
  }
  append_field(event, "host", out);
  out += ' ';
  append_field(event, event::kMessageField, out);
}

}  // namespace enclave::pipeline
