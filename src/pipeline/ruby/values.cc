#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/hash.h>
#include <mruby/numeric.h>
#include <mruby/string.h>
#include <mruby/variable.h>

#include <bit>
#include <cstdio>
#include <cstdlib>

#include "pipeline/ruby/state.h"

namespace enclave::pipeline::ruby {
namespace {

using event::Kind;
using event::Value;

constexpr int kDepthMax = 200;  ///< each level takes native stack

mrb_value to_ruby_at(mrb_state* mrb, const Value& value, int depth) {
  --state_of(mrb).steps;
  if (depth > kDepthMax) mrb_raise(mrb, E_ARGUMENT_ERROR, "a value of more than 200 levels");
  switch (value.kind()) {
    case Kind::null:
      return mrb_nil_value();
    case Kind::boolean:
      return mrb_bool_value(value.boolean());
    case Kind::integer:
      return mrb_int_value(mrb, value.integer());
    case Kind::real:
      return mrb_float_value(mrb, value.real());
    case Kind::text:
      return to_text(mrb, value.text());
    case Kind::time:
      return make_timestamp(mrb, value.wall_ns());
    case Kind::list: {
      const mrb_value list = mrb_ary_new_capa(mrb, static_cast<mrb_int>(value.items().size()));
      const int arena = mrb_gc_arena_save(mrb);
      for (const Value& item : value.items()) {
        mrb_ary_push(mrb, list, to_ruby_at(mrb, item, depth + 1));
        mrb_gc_arena_restore(mrb, arena);
      }
      return list;
    }
    case Kind::map:
      break;
  }
  const mrb_value map = mrb_hash_new_capa(mrb, static_cast<mrb_int>(value.members().size()));
  const int arena = mrb_gc_arena_save(mrb);
  for (const event::Member& member : value.members()) {
    const mrb_value name = to_text(mrb, member.name);
    mrb_hash_set(mrb, map, name, to_ruby_at(mrb, member.value, depth + 1));
    mrb_gc_arena_restore(mrb, arena);
  }
  return map;
}

/// The interpreter keeps its mark in the two lowest bits of a number with a fraction. What had 15 digits, as those that
/// people write, is found again.
double mended(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", number);
  const double written = std::strtod(text, nullptr);
  constexpr std::uint64_t kMark = 3;
  const auto bits = [](double one) { return std::bit_cast<std::uint64_t>(one) & ~kMark; };
  return bits(written) == bits(number) ? written : number;
}

std::string_view store(mrb_state* mrb, mrb_value text, event::Arena& arena) {
  state_of(mrb).spend(static_cast<std::size_t>(RSTRING_LEN(text)));
  return arena.store(view(text));
}

}  // namespace

mrb_value to_ruby(mrb_state* mrb, const Value& value) { return to_ruby_at(mrb, value, 0); }

Value from_ruby(mrb_state* mrb, mrb_value value, event::Arena& arena, int depth) {
  Machine::State& state = state_of(mrb);
  if (--state.steps < 0) {
    state.spent = true;
    mrb_raise(mrb, state.limit_error, "it took too long");
  }
  if (depth > kDepthMax) mrb_raise(mrb, E_ARGUMENT_ERROR, "a value of more than 200 levels, or one that holds itself");
  if (mrb_nil_p(value)) return {};
  switch (mrb_type(value)) {
    case MRB_TT_FALSE:
      return Value::of(false);
    case MRB_TT_TRUE:
      return Value::of(true);
    case MRB_TT_INTEGER:
      return Value::of(static_cast<std::int64_t>(mrb_integer(value)));
    case MRB_TT_FLOAT:
      return Value::of(mended(mrb_float(value)));
    case MRB_TT_STRING:
      return Value::of(store(mrb, value, arena));
    case MRB_TT_SYMBOL:
      return Value::of(store(mrb, mrb_sym_str(mrb, mrb_symbol(value)), arena));
    case MRB_TT_ARRAY: {
      const Value list = Value::list(arena, static_cast<std::size_t>(RARRAY_LEN(value)));
      for (mrb_int i = 0; i < RARRAY_LEN(value); ++i)
        list.append(arena, from_ruby(mrb, RARRAY_PTR(value)[i], arena, depth + 1));
      return list;
    }
    case MRB_TT_HASH: {
      const mrb_value keys = mrb_hash_keys(mrb, value);
      const Value map = Value::map(arena, static_cast<std::size_t>(RARRAY_LEN(keys)));
      for (mrb_int i = 0; i < RARRAY_LEN(keys); ++i) {
        const mrb_value key = RARRAY_PTR(keys)[i];
        const auto name = store(mrb, mrb_obj_as_string(mrb, key), arena);
        map.append_member(arena, name, from_ruby(mrb, mrb_hash_get(mrb, value, key), arena, depth + 1));
      }
      map.keep_last_of_each(arena);
      return map;
    }
    default:
      break;
  }
  if (mrb_obj_is_kind_of(mrb, value, state.time) || mrb_obj_is_kind_of(mrb, value, state.timestamp)) {
    const mrb_value ns = mrb_iv_get(mrb, value, state.ns);
    if (mrb_integer_p(ns)) return Value::time(mrb_integer(ns));
  }
  mrb_raisef(mrb, E_TYPE_ERROR, "an event cannot hold a %C", mrb_obj_class(mrb, value));
}

mrb_value make_timestamp(mrb_state* mrb, std::int64_t wall_ns) {
  const Machine::State& state = state_of(mrb);
  const mrb_value made = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, state.timestamp));
  mrb_iv_set(mrb, made, state.ns, mrb_int_value(mrb, wall_ns));
  return made;
}

}  // namespace enclave::pipeline::ruby
