#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/string.h>
#include <mruby/variable.h>

#include <charconv>

#include "pipeline/ruby/state.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline::ruby {
namespace {

using State = Machine::State;

constexpr std::size_t kRegexesMax = 500;  ///< with the same options; beyond them all are compiled anew
constexpr std::size_t kNone = std::string_view::npos;

/// Null with the reason in `reason`.
const Regex* regex_of(State& state, std::string_view source, mrb_int options) {
  auto& known = state.regexes[options & 7];
  if (const auto found = known.find(source); found != known.end()) return &found->second;
  state.spend(source.size() * 64);
  auto made = Regex::compile(perl_of_ruby(
      source, {.any_case = (options & 1) != 0, .extended = (options & 2) != 0, .dot_all = (options & 4) != 0}));
  if (!made) {
    state.reason = made.error().text();
    return nullptr;
  }
  if (known.size() >= kRegexesMax) known.clear();
  return &known.emplace(source, std::move(*made)).first->second;
}

struct Pattern {
  std::string_view source;
  mrb_int options = 0;
};

Pattern pattern_of(mrb_state* mrb, mrb_value regexp) {
  const mrb_value source = mrb_iv_get(mrb, regexp, mrb_intern_lit(mrb, "@source"));
  const mrb_value options = mrb_iv_get(mrb, regexp, mrb_intern_lit(mrb, "@options"));
  if (!mrb_string_p(source) || !mrb_integer_p(options)) mrb_raise(mrb, E_TYPE_ERROR, "not a regular expression");
  return {view(source), mrb_integer(options)};
}

const Regex& regex_for(mrb_state* mrb, mrb_value regexp) {
  const Pattern pattern = pattern_of(mrb, regexp);
  const Regex* const regex = regex_of(state_of(mrb), pattern.source, pattern.options);
  if (regex == nullptr) mrb_raise(mrb, mrb_class_get(mrb, "RegexpError"), state_of(mrb).reason.c_str());
  return *regex;
}

bool search(mrb_state* mrb, const Regex& regex, std::string_view text, std::size_t from) {
  State& state = state_of(mrb);
  --state.steps;
  state.spend(text.size() - from);
  const auto outcome = regex.search(text, from);
  if (outcome == Regex::Outcome::limit || state.steps < 0) {
    state.spent = true;
    mrb_raise(mrb, state.limit_error, "a regular expression took too long");
  }
  return outcome == Regex::Outcome::yes;
}

mrb_value check(mrb_state* mrb, mrb_value self) {
  regex_for(mrb, self);
  return self;
}

mrb_sym global_of(mrb_state* mrb, std::uint32_t number) {
  const char name[] = {'$', static_cast<char>('0' + number)};
  return mrb_intern(mrb, name, 2);
}

void set_globals(mrb_state* mrb, mrb_value match, const Regex* regex, mrb_value subject) {
  mrb_gv_set(mrb, mrb_intern_lit(mrb, "$~"), match);
  for (std::uint32_t i = 1; i <= 9; ++i) {
    const auto [begin, end] = regex == nullptr ? std::pair(kNone, kNone) : regex->group(i);
    const mrb_sym name = global_of(mrb, i);
    if (begin == kNone) {
      mrb_gv_set(mrb, name, mrb_nil_value());
    } else {
      mrb_gv_set(mrb, name, to_text(mrb, view(subject).substr(begin, end - begin)));
    }
  }
}

/// regexp.__match(text, from byte): a MatchData or nil; $~ and $1 to $9 are set.
mrb_value match(mrb_state* mrb, mrb_value self) {
  State& state = state_of(mrb);
  mrb_value text;
  mrb_int from = 0;
  mrb_get_args(mrb, "S|i", &text, &from);
  const Regex& regex = regex_for(mrb, self);
  const bool inside = from >= 0 && from <= RSTRING_LEN(text);
  if (!inside || !search(mrb, regex, view(text), static_cast<std::size_t>(from))) {
    set_globals(mrb, mrb_nil_value(), nullptr, text);
    return mrb_nil_value();
  }
  const mrb_value found = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, state.match));
  const mrb_value places = mrb_ary_new(mrb);
  for (std::uint32_t i = 0; i < regex.groups(); ++i) {
    const auto [begin, end] = regex.group(i);
    mrb_ary_push(mrb, places, begin == kNone ? mrb_nil_value() : mrb_int_value(mrb, static_cast<mrb_int>(begin)));
    mrb_ary_push(mrb, places, begin == kNone ? mrb_nil_value() : mrb_int_value(mrb, static_cast<mrb_int>(end)));
  }
  mrb_iv_set(mrb, found, state.subject, mrb_str_dup(mrb, text));
  mrb_iv_set(mrb, found, state.places, places);
  mrb_iv_set(mrb, found, state.regexp, self);
  set_globals(mrb, found, &regex, text);
  return found;
}

/// regexp.match?(text): sets nothing.
mrb_value matches(mrb_state* mrb, mrb_value self) {
  mrb_value text;
  mrb_get_args(mrb, "o", &text);
  if (mrb_nil_p(text)) return mrb_false_value();
  text = mrb_obj_as_string(mrb, text);
  return mrb_bool_value(search(mrb, regex_for(mrb, self), view(text), 0));
}

/// regexp.__names: [["user", 1], …]
mrb_value names(mrb_state* mrb, mrb_value self) {
  const Regex& regex = regex_for(mrb, self);
  const mrb_value list = mrb_ary_new(mrb);
  for (std::uint32_t i = 0;; ++i) {
    const auto [name, number] = regex.name_at(i);
    if (name.empty()) return list;
    mrb_value pair[] = {to_text(mrb, name), mrb_int_value(mrb, number)};
    mrb_ary_push(mrb, list, mrb_ary_new_from_values(mrb, 2, pair));
  }
}

/// Behind an empty match the search goes on after the next character.
std::size_t after(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin != end) return end;
  do ++end;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  return end;
}

/// A group that the replacement names behind its backslash; `at` is moved behind it.
std::pair<std::size_t, std::size_t> group_named(const Regex& regex, std::string_view replacement, std::size_t& at) {
  const std::size_t close = replacement.find('>', at);
  if (close == kNone) return {kNone, kNone};
  const auto name = replacement.substr(at + 2, close - at - 2);
  at = close;
  std::uint32_t number = 0;
  if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc()) return regex.group(number);
  for (std::uint32_t i = 0;; ++i) {
    const auto [known, its_number] = regex.name_at(i);
    if (known.empty()) return {kNone, kNone};
    if (known == name) return regex.group(its_number);
  }
}

void append_replacement(const Regex& regex, std::string_view text, std::string_view replacement, std::string& out) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '\\' || i + 1 == replacement.size()) {
      out += replacement[i];
      continue;
    }
    const char next = replacement[++i];
    std::pair<std::size_t, std::size_t> group{kNone, kNone};
    if (next >= '0' && next <= '9') {
      group = regex.group(static_cast<std::uint32_t>(next - '0'));
    } else if (next == '&') {
      group = regex.group(0);
    } else if (next == 'k' && i + 1 < replacement.size() && replacement[i + 1] == '<') {
      group = group_named(regex, replacement, i);
    } else if (next == '\\') {
      out += '\\';
    } else {
      out += '\\';
      out += next;
    }
    if (group.first != kNone) out += text.substr(group.first, group.second - group.first);
  }
}

/// regexp.__replace(text, replacement, all): nil when nothing matched.
mrb_value replace(mrb_state* mrb, mrb_value self) {
  State& state = state_of(mrb);
  mrb_value text, replacement;
  mrb_bool all = 0;
  mrb_get_args(mrb, "SSb", &text, &replacement, &all);
  const Regex& regex = regex_for(mrb, self);
  const auto subject = view(text);
  state.text.clear();
  std::size_t copied = 0;
  bool any = false;
  for (std::size_t from = 0; from <= subject.size() && (all || !any) && search(mrb, regex, subject, from);) {
    const auto [begin, end] = regex.group(0);
    if (begin == kNone || begin < copied) break;
    any = true;
    state.text += subject.substr(copied, begin - copied);
    append_replacement(regex, subject, view(replacement), state.text);
    copied = end;
    from = after(subject, begin, end);
    if (state.text.size() > state.limits.memory_bytes) break;
  }
  if (!any) return mrb_nil_value();
  state.text += subject.substr(copied);
  state.spend(state.text.size());
  return to_text(mrb, state.text);
}

mrb_value group_text(mrb_state* mrb, const Regex& regex, std::uint32_t number, std::string_view text) {
  const auto [begin, end] = regex.group(number);
  return begin == kNone ? mrb_nil_value() : to_text(mrb, text.substr(begin, end - begin));
}

/// regexp.__scan(text): of each match its text, or the list of its groups.
mrb_value scan(mrb_state* mrb, mrb_value self) {
  mrb_value text;
  mrb_get_args(mrb, "S", &text);
  const Regex& regex = regex_for(mrb, self);
  const auto subject = view(text);
  const mrb_value list = mrb_ary_new(mrb);
  const int arena = mrb_gc_arena_save(mrb);
  for (std::size_t from = 0; from <= subject.size() && search(mrb, regex, subject, from);) {
    const auto [begin, end] = regex.group(0);
    if (begin == kNone) break;
    if (regex.groups() == 1) {
      mrb_ary_push(mrb, list, group_text(mrb, regex, 0, subject));
    } else {
      const mrb_value groups = mrb_ary_new(mrb);
      for (std::uint32_t i = 1; i < regex.groups(); ++i) mrb_ary_push(mrb, groups, group_text(mrb, regex, i, subject));
      mrb_ary_push(mrb, list, groups);
    }
    mrb_gc_arena_restore(mrb, arena);
    from = after(subject, begin, end);
  }
  return list;
}

/// regexp.__split(text, limit): as String#split; empty pieces at the end are the caller's.
mrb_value split(mrb_state* mrb, mrb_value self) {
  mrb_value text;
  mrb_int limit = 0;
  mrb_get_args(mrb, "Si", &text, &limit);
  const Regex& regex = regex_for(mrb, self);
  const auto subject = view(text);
  const mrb_value list = mrb_ary_new(mrb);
  const int arena = mrb_gc_arena_save(mrb);
  std::size_t piece = 0;
  for (std::size_t from = 0; from <= subject.size() && (limit <= 0 || RARRAY_LEN(list) < limit - 1);) {
    if (!search(mrb, regex, subject, from)) break;
    const auto [begin, end] = regex.group(0);
    if (begin == kNone || begin >= subject.size()) break;
    from = after(subject, begin, end);
    // An empty match parts characters, and none at the very beginning.
    if (begin == end && begin == piece) {
      if (from >= subject.size()) break;
      mrb_ary_push(mrb, list, to_text(mrb, subject.substr(piece, from - piece)));
      piece = from;
    } else {
      mrb_ary_push(mrb, list, to_text(mrb, subject.substr(piece, begin - piece)));
      piece = end;
    }
    for (std::uint32_t i = 1; i < regex.groups(); ++i)
      if (regex.group(i).first != kNone) mrb_ary_push(mrb, list, group_text(mrb, regex, i, subject));
    mrb_gc_arena_restore(mrb, arena);
  }
  mrb_ary_push(mrb, list, to_text(mrb, subject.substr(piece)));
  return list;
}

}  // namespace

void define_regexes(mrb_state* mrb) {
  State& state = state_of(mrb);
  state.subject = mrb_intern_lit(mrb, "@subject");
  state.places = mrb_intern_lit(mrb, "@places");
  state.regexp = mrb_intern_lit(mrb, "@regexp");
  RClass* const regexp = mrb_define_class(mrb, "Regexp", mrb->object_class);
  state.match = mrb_define_class(mrb, "MatchData", mrb->object_class);
  mrb_define_method(mrb, regexp, "__check", check, MRB_ARGS_NONE());
  mrb_define_method(mrb, regexp, "__match", match, MRB_ARGS_ARG(1, 1));
  mrb_define_method(mrb, regexp, "__names", names, MRB_ARGS_NONE());
  mrb_define_method(mrb, regexp, "__replace", replace, MRB_ARGS_REQ(3));
  mrb_define_method(mrb, regexp, "__scan", scan, MRB_ARGS_REQ(1));
  mrb_define_method(mrb, regexp, "__split", split, MRB_ARGS_REQ(2));
  mrb_define_method(mrb, regexp, "match?", matches, MRB_ARGS_REQ(1));
}

}  // namespace enclave::pipeline::ruby
