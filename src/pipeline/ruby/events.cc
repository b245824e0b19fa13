#include <mruby.h>
#include <mruby/class.h>
#include <mruby/hash.h>
#include <mruby/string.h>
#include <mruby/variable.h>

#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {
namespace {

using event::Document;
using event::Kind;
using event::Value;
using State = Machine::State;

constexpr std::size_t kKnownMax = 10'000;  ///< field references; beyond them all are forgotten
constexpr std::size_t kMadeMax = 10'000;   ///< events that one event may become

Document& document_of(mrb_state* mrb, mrb_value self) {
  State& state = state_of(mrb);
  const mrb_value slot = mrb_iv_get(mrb, self, state.slot), age = mrb_iv_get(mrb, self, state.age);
  if (!mrb_integer_p(slot) || !mrb_integer_p(age) || mrb_integer(age) != state.serial ||
      static_cast<std::size_t>(mrb_integer(slot)) >= state.events.size())
    mrb_raise(mrb, E_RUNTIME_ERROR, "this event has gone on already; keep what it holds, such as event.to_hash");
  return *state.events[static_cast<std::size_t>(mrb_integer(slot))];
}

/// Null with the reason in `reason`.
const logstash::FieldReference* field_named(State& state, std::string_view name) {
  if (const auto known = state.fields.find(name); known != state.fields.end()) return &known->second;
  auto field = logstash::FieldReference::parse(name);
  if (!field) {
    state.reason = field.error().text();
    return nullptr;
  }
  if (state.fields.size() >= kKnownMax) state.fields.clear();
  return &state.fields.emplace(name, std::move(*field)).first->second;
}

const logstash::FieldReference& field_of(mrb_state* mrb, mrb_value name) {
  const auto* const field = field_named(state_of(mrb), view(name));
  if (field == nullptr) mrb_raise(mrb, E_RUNTIME_ERROR, state_of(mrb).reason.c_str());
  return *field;
}

mrb_value name_argument(mrb_state* mrb) {
  mrb_value name;
  mrb_get_args(mrb, "o", &name);
  return mrb_obj_as_string(mrb, name);
}

mrb_value get(mrb_state* mrb, mrb_value self) {
  const Document& event = document_of(mrb, self);
  const mrb_value name = name_argument(mrb);
  const Value* const value = event.find(field_of(mrb, name).segments());
  return value == nullptr ? mrb_nil_value() : to_ruby(mrb, *value);
}

mrb_value set(mrb_state* mrb, mrb_value self) {
  Document& event = document_of(mrb, self);
  mrb_value name, given;
  mrb_get_args(mrb, "oo", &name, &given);
  const auto& field = field_of(mrb, mrb_obj_as_string(mrb, name));
  const bool is_time = field.segments().size() == 1 && field.segments()[0].name == event::kTimeField;
  const Value value = from_ruby(mrb, given, event.arena());
  if (is_time && !value.is(Kind::time))
    mrb_raise(mrb, E_TYPE_ERROR,
              "@timestamp takes a LogStash::Timestamp: LogStash::Timestamp.new(\"2026-01-01T00:00:00Z\")");
  // What `field` refers to may be forgotten while a value is made; it is looked up again.
  if (!event.set(field_of(mrb, mrb_obj_as_string(mrb, name)).segments(), value))
    mrb_raise(mrb, E_RUNTIME_ERROR, "a field on the way is neither a hash nor an array with that place");
  return given;
}

mrb_value remove(mrb_state* mrb, mrb_value self) {
  Document& event = document_of(mrb, self);
  const auto& field = field_of(mrb, name_argument(mrb));
  const Value* const value = event.find(field.segments());
  if (value == nullptr) return mrb_nil_value();
  const Value copy = *value;
  event.erase(field.segments());
  return to_ruby(mrb, copy);
}

mrb_value include(mrb_state* mrb, mrb_value self) {
  const Document& event = document_of(mrb, self);
  return mrb_bool_value(event.find(field_of(mrb, name_argument(mrb)).segments()) != nullptr);
}

mrb_value tag(mrb_state* mrb, mrb_value self) {
  Document& event = document_of(mrb, self);
  event.tag(view(name_argument(mrb)));
  return mrb_nil_value();
}

mrb_value cancel(mrb_state* mrb, mrb_value self) {
  document_of(mrb, self).cancelled = true;
  return mrb_nil_value();
}

mrb_value uncancel(mrb_state* mrb, mrb_value self) {
  document_of(mrb, self).cancelled = false;
  return mrb_nil_value();
}

mrb_value is_cancelled(mrb_state* mrb, mrb_value self) { return mrb_bool_value(document_of(mrb, self).cancelled); }

mrb_value to_hash(mrb_state* mrb, mrb_value self) {
  const mrb_value all = to_ruby(mrb, document_of(mrb, self).root());
  mrb_hash_delete_key(mrb, all, to_text(mrb, event::kMetadataField));
  return all;
}

mrb_value to_hash_with_metadata(mrb_state* mrb, mrb_value self) { return to_ruby(mrb, document_of(mrb, self).root()); }

mrb_value to_json(mrb_state* mrb, mrb_value self) {
  State& state = state_of(mrb);
  state.text.clear();
  event::append_json(document_of(mrb, self), state.text);
  return to_text(mrb, state.text);
}

/// False with the reason in `reason`.
bool put_together(State& state, const Document& event, std::string_view format) {
  auto known = state.references.find(format);
  if (known == state.references.end()) {
    auto made = logstash::TextReference::compile(format);
    if (!made) {
      state.reason = made.error().text();
      return false;
    }
    if (state.references.size() >= kKnownMax) state.references.clear();
    known = state.references.emplace(format, std::move(*made)).first;
  }
  state.text.clear();
  known->second.append(
      event.wall_ns(), state.run->now_ns,
      [&event](const logstash::TextReference::Part& part, std::string& out) {
        const Value* const value = event.find(part.field->segments());
        if (value == nullptr) return false;
        append_text(*value, out);
        return true;
      },
      state.text);
  return true;
}

mrb_value format_text(mrb_state* mrb, mrb_value self) {
  const Document& event = document_of(mrb, self);
  State& state = state_of(mrb);
  if (!put_together(state, event, view(name_argument(mrb)))) mrb_raise(mrb, E_RUNTIME_ERROR, state.reason.c_str());
  return to_text(mrb, state.text);
}

mrb_value object_for(mrb_state* mrb, mrb_value self, const Document& document) {
  State& state = state_of(mrb);
  if (state.made.size() >= kMadeMax) mrb_raise(mrb, E_RUNTIME_ERROR, "more than 10000 events of one");
  state.events.push_back(&state.made.emplace_back(document));
  mrb_iv_set(mrb, self, state.slot, mrb_int_value(mrb, static_cast<mrb_int>(state.events.size()) - 1));
  mrb_iv_set(mrb, self, state.age, mrb_int_value(mrb, state.serial));
  return self;
}

mrb_value clone(mrb_state* mrb, mrb_value self) {
  const Document& event = document_of(mrb, self);
  const mrb_value made = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, state_of(mrb).event));
  State& state = state_of(mrb);
  const std::size_t before = event.arena().bytes();
  Document copy = event.copy();
  copy.reading = event.reading;
  state.spend(event.arena().bytes() - before);
  return object_for(mrb, made, copy);
}

/// LogStash::Event.new(hash): only while an event is at hand, in whose memory it lives.
mrb_value initialize(mrb_state* mrb, mrb_value self) {
  State& state = state_of(mrb);
  mrb_value given = mrb_nil_value();
  mrb_get_args(mrb, "|o", &given);
  if (state.events.empty()) mrb_raise(mrb, E_RUNTIME_ERROR, "events are made while one is filtered, not at start");
  const Document& parent = *state.events.front();
  Document made(parent.arena());
  if (mrb_hash_p(given)) made = Document(parent.arena(), from_ruby(mrb, given, parent.arena()));
  made.reading = parent.reading;
  const Value* const time = made.find(event::kTimeField);
  if (time == nullptr || !time->is(Kind::time)) made.set_wall_ns(state.run->now_ns);
  if (made.find(event::kVersionField) == nullptr) made.set(event::kVersionField, Value::of(std::string_view("1")));
  return object_for(mrb, self, made);
}

mrb_value hand_on(mrb_state* mrb, mrb_value self) {
  Document& event = document_of(mrb, self);
  State& state = state_of(mrb);
  // The event at hand goes on by itself.
  for (const Document* one : state.given)
    if (one == &event) return mrb_nil_value();
  if (&event != state.events.front()) state.given.push_back(&event);
  return mrb_nil_value();
}

mrb_value now_ns(mrb_state* mrb, mrb_value /*self*/) {
  const State& state = state_of(mrb);
  return mrb_int_value(mrb, state.run == nullptr ? 0 : state.run->now_ns);
}

}  // namespace

void define_events(mrb_state* mrb) {
  State& state = state_of(mrb);
  state.slot = mrb_intern_lit(mrb, "@slot");
  state.age = mrb_intern_lit(mrb, "@age");
  RClass* const logstash = mrb_define_module(mrb, "LogStash");
  RClass* const event = state.event = mrb_define_class_under(mrb, logstash, "Event", mrb->object_class);
  mrb_define_method(mrb, event, "initialize", initialize, MRB_ARGS_OPT(1));
  mrb_define_method(mrb, event, "get", get, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, event, "set", set, MRB_ARGS_REQ(2));
  mrb_define_method(mrb, event, "remove", remove, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, event, "include?", include, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, event, "tag", tag, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, event, "cancel", cancel, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "uncancel", uncancel, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "cancelled?", is_cancelled, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "to_hash", to_hash, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "to_hash_with_metadata", to_hash_with_metadata, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "to_json", to_json, MRB_ARGS_ANY());
  mrb_define_method(mrb, event, "sprintf", format_text, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, event, "clone", clone, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "dup", clone, MRB_ARGS_NONE());
  mrb_define_method(mrb, event, "__yield", hand_on, MRB_ARGS_NONE());
  mrb_define_module_function(mrb, mrb_define_module(mrb, "Native"), "now_ns", now_ns, MRB_ARGS_NONE());
}

}  // namespace enclave::pipeline::ruby
