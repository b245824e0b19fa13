#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/string.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/named_digest.h"
#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {
namespace {

using State = Machine::State;

// The library counts a text in bytes. Scripts count characters; these are what the prelude makes that of.

bool is_start(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

mrb_value is_ascii(mrb_state* mrb, mrb_value self) {
  const auto text = view(self);
  state_of(mrb).spend(text.size());
  return mrb_bool_value(std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

mrb_value length(mrb_state* mrb, mrb_value self) {
  const auto text = view(self);
  state_of(mrb).spend(text.size());
  return mrb_int_value(mrb, static_cast<mrb_int>(std::ranges::count_if(text, is_start)));
}

/// text.__byte_at(characters): where that character begins; nil beyond the end. Negative: from the end.
mrb_value byte_at(mrb_state* mrb, mrb_value self) {
  mrb_int characters = 0;
  mrb_get_args(mrb, "i", &characters);
  const auto text = view(self);
  state_of(mrb).spend(text.size());
  if (characters < 0) characters += static_cast<mrb_int>(std::ranges::count_if(text, is_start));
  if (characters < 0) return mrb_nil_value();
  std::size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) {
    do ++at;
    while (at < text.size() && !is_start(text[at]));
  }
  return characters > 0 ? mrb_nil_value() : mrb_int_value(mrb, static_cast<mrb_int>(at));
}

/// text.__character_at(byte): how many characters begin before it.
mrb_value character_at(mrb_state* mrb, mrb_value self) {
  mrb_int byte = 0;
  mrb_get_args(mrb, "i", &byte);
  const auto text = view(self).substr(0, static_cast<std::size_t>(std::max<mrb_int>(byte, 0)));
  state_of(mrb).spend(text.size());
  return mrb_int_value(mrb, static_cast<mrb_int>(std::ranges::count_if(text, is_start)));
}

mrb_value characters(mrb_state* mrb, mrb_value self) {
  const mrb_value list = mrb_ary_new(mrb);
  const int arena = mrb_gc_arena_save(mrb);
  const auto text = view(self);
  for (std::size_t at = 0, next = 0; at < text.size(); at = next) {
    do ++next;
    while (next < text.size() && !is_start(text[next]));
    mrb_ary_push(mrb, list, to_text(mrb, text.substr(at, next - at)));
    mrb_gc_arena_restore(mrb, arena);
  }
  return list;
}

mrb_value is_valid(mrb_state* /*mrb*/, mrb_value self) { return mrb_bool_value(is_utf8(view(self))); }

mrb_value native_json(mrb_state* mrb, mrb_value /*self*/) {
  State& state = state_of(mrb);
  mrb_value given;
  mrb_get_args(mrb, "o", &given);
  state.arena.clear();
  const event::Value value = from_ruby(mrb, given, state.arena);
  state.text.clear();
  append_json(value, state.text);
  return to_text(mrb, state.text);
}

/// False with the reason in `reason`.
bool read_json(State& state, std::string_view text, event::Value& into) {
  state.arena.clear();
  auto read = state.json.read(text, state.arena);
  if (!read) {
    state.reason = read.error().text();
    return false;
  }
  into = *read;
  return true;
}

mrb_value native_parse_json(mrb_state* mrb, mrb_value /*self*/) {
  State& state = state_of(mrb);
  mrb_value given;
  mrb_get_args(mrb, "S", &given);
  state.spend(static_cast<std::size_t>(RSTRING_LEN(given)));
  event::Value value;
  if (!read_json(state, view(given), value))
    mrb_raise(mrb, mrb_class_get_under(mrb, mrb_module_get(mrb, "JSON"), "ParserError"), state.reason.c_str());
  return to_ruby(mrb, value);
}

bool digest(State& state, mrb_int name, bool keyed, std::string_view key, std::string_view text) {
  const auto which = static_cast<crypto::DigestName>(name);
  auto made = keyed ? crypto::hmac_of(which, key, text) : crypto::digest_of(which, text);
  if (!made) return false;
  state.text = std::move(*made);
  return true;
}

/// Native.digest(number of the name, key or nil, text)
mrb_value native_digest(mrb_state* mrb, mrb_value /*self*/) {
  State& state = state_of(mrb);
  mrb_int name = 0;
  mrb_value key, text;
  mrb_get_args(mrb, "ioS", &name, &key, &text);
  const bool keyed = mrb_string_p(key);
  state.spend(static_cast<std::size_t>(RSTRING_LEN(text)));
  if (name < 0 || name > 4 || !digest(state, name, keyed, keyed ? view(key) : std::string_view(), view(text)))
    mrb_raise(mrb, E_RUNTIME_ERROR, "this system has no such digest");
  return to_text(mrb, state.text);
}

}  // namespace

void define_texts(mrb_state* mrb) {
  RClass* const text = mrb->string_class;
  mrb_define_method(mrb, text, "ascii_only?", is_ascii, MRB_ARGS_NONE());
  mrb_define_method(mrb, text, "length", length, MRB_ARGS_NONE());
  mrb_define_method(mrb, text, "size", length, MRB_ARGS_NONE());
  mrb_define_method(mrb, text, "chars", characters, MRB_ARGS_NONE());
  mrb_define_method(mrb, text, "__byte_at", byte_at, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, text, "__character_at", character_at, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, text, "valid_encoding?", is_valid, MRB_ARGS_NONE());
  RClass* const native = mrb_define_module(mrb, "Native");
  mrb_define_module_function(mrb, native, "json", native_json, MRB_ARGS_REQ(1));
  mrb_define_module_function(mrb, native, "parse_json", native_parse_json, MRB_ARGS_REQ(1));
  mrb_define_module_function(mrb, native, "digest", native_digest, MRB_ARGS_REQ(3));
}

}  // namespace enclave::pipeline::ruby
