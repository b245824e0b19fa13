#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>

#include "pipeline/filter.h"
#include "pipeline/letters.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/ruby_regex.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Kind;
using event::Value;
using logstash::FieldName;
using logstash::TextReference;

/// What an operation made of a value: the new one, itself, or that it cannot be done.
enum class Done : std::uint8_t { yes, failed };

/// One operation on one field. They run in the order that the original gives them, not in that of the file.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual Done apply(Document& event, FilterRun& run) = 0;
};

/// Changes each text, also those in a list.
class EachText final : public Operation {
 public:
  using Change = std::function<bool(std::string_view text, std::string& out)>;
  EachText(FieldName field, Change change) : field_(std::move(field)), change_(std::move(change)) {}

  Done apply(Document& event, FilterRun& run) override {
    Value* const value = event.find(field_.path(event, run.now_ns));
    if (value == nullptr) return Done::yes;
    if (!value->is(Kind::list)) return one(*value, event, run);
    for (Value& item : value->items())
      if (one(item, event, run) == Done::failed) return Done::failed;
    return Done::yes;
  }

 private:
  Done one(Value& value, Document& event, FilterRun& run) {
    if (!value.is(Kind::text)) return Done::yes;
    run.scratch.clear();
    if (!change_(value.text(), run.scratch)) return Done::failed;
    if (run.scratch != value.text()) value = Value::of(event.arena().store(run.scratch));
    return Done::yes;
  }
  FieldName field_;
  Change change_;
};

enum class Type : std::uint8_t { integer, integer_eu, real, real_eu, text, boolean };

std::string number_text(std::string_view text, bool european) {
  std::string out;
  for (const char c : text) {
    if (c == (european ? '.' : ',')) continue;
    out += european && c == ',' ? '.' : c;
  }
  return out;
}

/// As Ruby reads a number from the front of a text: what does not begin with one is 0.
Value integer_in(const std::string& text) {
  std::int64_t number = 0;
  const char* from = text.c_str();
  while (*from == ' ' || *from == '\t' || *from == '\n') ++from;
  if (*from == '+') ++from;
  if (std::from_chars(from, text.c_str() + text.size(), number).ec == std::errc::result_out_of_range)
    return Value::of(std::strtod(from, nullptr));
  return Value::of(number);
}
Value real_in(const std::string& text) {
  double number = 0;
  const char* from = text.c_str();
  while (*from == ' ' || *from == '\t' || *from == '\n') ++from;
  if (*from == '+') ++from;
  std::from_chars(from, text.c_str() + text.size(), number);
  return Value::of(std::isfinite(number) ? number : 0.0);
}

Value whole(double number) {
  constexpr double kMost = 9.2e18;
  if (!std::isfinite(number) || std::fabs(number) > kMost) return Value::of(number);
  return Value::of(static_cast<std::int64_t>(number));
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

class Convert final : public Operation {
 public:
  Convert(FieldName field, Type type) : field_(std::move(field)), type_(type) {}

  Done apply(Document& event, FilterRun& run) override {
    Value* const value = event.find(field_.path(event, run.now_ns));
    if (value == nullptr || value->is(Kind::null)) return Done::yes;
    if (value->is(Kind::map)) return Done::yes;
    if (!value->is(Kind::list)) {
      *value = converted(*value, event, run);
      return Done::yes;
    }
    for (Value& item : value->items())
      if (!item.is(Kind::null)) item = converted(item, event, run);
    return Done::yes;
  }

 private:
  Value converted(const Value& value, Document& event, FilterRun& run) const {
    switch (type_) {
      case Type::integer:
      case Type::integer_eu:
        if (value.is(Kind::text)) return integer_in(number_text(value.text(), type_ == Type::integer_eu));
        if (value.is(Kind::boolean)) return Value::of(std::int64_t{value.boolean()});
        return value.is(Kind::real) ? whole(value.real()) : value;
      case Type::real:
      case Type::real_eu:
        if (value.is(Kind::text)) return real_in(number_text(value.text(), type_ == Type::real_eu));
        if (value.is(Kind::boolean)) return Value::of(value.boolean() ? 1.0 : 0.0);
        return value.is(Kind::integer) ? Value::of(static_cast<double>(value.integer())) : value;
      case Type::text:
        run.scratch.clear();
        event::append_text(value, run.scratch);
        return value.is(Kind::text) ? value : Value::of(event.arena().store(run.scratch));
      case Type::boolean:
        run.scratch.clear();
        event::append_text(value, run.scratch);
        std::ranges::transform(run.scratch, run.scratch.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (is_one_of(run.scratch, {"true", "t", "yes", "y", "1", "1.0"})) return Value::of(true);
        if (is_one_of(run.scratch, {"false", "f", "no", "n", "0", "0.0", ""})) return Value::of(false);
        return value;
    }
    return value;
  }
  FieldName field_;
  Type type_;
};

/// rename and copy.
class Move final : public Operation {
 public:
  Move(FieldName from, FieldName to, bool keep) : from_(std::move(from)), to_(std::move(to)), keep_(keep) {}

  Done apply(Document& event, FilterRun& run) override {
    const Value* const value = event.find(from_.path(event, run.now_ns));
    if (value == nullptr) return Done::yes;
    const Value moved = keep_ ? event::copy_value(*value, event.arena()) : *value;
    if (!keep_) event.erase(from_.path(event, run.now_ns));
    return event.set(to_.path(event, run.now_ns), moved) ? Done::yes : Done::failed;
  }

 private:
  FieldName from_, to_;
  bool keep_;
};

/// update (only a field that is there), replace (any) and coerce (one that is there and null).
class Assign final : public Operation {
 public:
  enum class When : std::uint8_t { there, always, null };
  Assign(FieldName field, TextReference text, When when)
      : field_(std::move(field)), text_(std::move(text)), when_(when) {}

  Done apply(Document& event, FilterRun& run) override {
    const Value* const value = event.find(field_.path(event, run.now_ns));
    if (when_ != When::always && value == nullptr) return Done::yes;
    if (when_ == When::null && !value->is(Kind::null)) return Done::yes;
    run.scratch.clear();
    logstash::append_reference(text_, event, run.now_ns, run.scratch);
    const auto text = Value::of(event.arena().store(run.scratch));
    return event.set(field_.path(event, run.now_ns), text) ? Done::yes : Done::failed;
  }

 private:
  FieldName field_;
  TextReference text_;
  When when_;
};

class Split final : public Operation {
 public:
  Split(FieldName field, std::string separator) : field_(std::move(field)), separator_(std::move(separator)) {}

  Done apply(Document& event, FilterRun& run) override {
    Value* const value = event.find(field_.path(event, run.now_ns));
    if (value == nullptr || !value->is(Kind::text)) return Done::yes;
    event::Arena& arena = event.arena();
    const Value parts = Value::list(arena);
    std::string_view rest = value->text();
    std::size_t filled = 0, count = 0;
    const auto add = [&](std::string_view part) {
      parts.append(arena, Value::of(part));
      ++count;
      if (!part.empty()) filled = count;
    };
    if (separator_.empty()) {
      for (std::size_t i = 0; i < rest.size(); ++i) add(rest.substr(i, 1));
    } else if (separator_ == " ") {
      // A single blank parts at any run of white space.
      constexpr std::string_view kBlank = " \t\n\v\f\r";
      for (std::size_t at = rest.find_first_not_of(kBlank); at != std::string_view::npos;) {
        const std::size_t end = std::min(rest.find_first_of(kBlank, at), rest.size());
        add(rest.substr(at, end - at));
        at = rest.find_first_not_of(kBlank, end);
      }
    } else {
      for (std::size_t at = rest.find(separator_); at != std::string_view::npos; at = rest.find(separator_)) {
        add(rest.substr(0, at));
        rest.remove_prefix(at + separator_.size());
      }
      if (!value->text().empty()) add(rest);
    }
    // Empty parts at the end are left out, as Ruby does it.
    while (parts.items().size() > filled) parts.erase_item(parts.items().size() - 1);
    *value = parts;
    return Done::yes;
  }

 private:
  FieldName field_;
  std::string separator_;
};

class Join final : public Operation {
 public:
  Join(FieldName field, std::string separator) : field_(std::move(field)), separator_(std::move(separator)) {}

  Done apply(Document& event, FilterRun& run) override {
    Value* const value = event.find(field_.path(event, run.now_ns));
    if (value == nullptr || !value->is(Kind::list)) return Done::yes;
    run.scratch.clear();
    for (std::size_t i = 0; i < value->items().size(); ++i) {
      if (i > 0) run.scratch += separator_;
      event::append_text(value->items()[i], run.scratch);
    }
    *value = Value::of(event.arena().store(run.scratch));
    return Done::yes;
  }

 private:
  FieldName field_;
  std::string separator_;
};

/// A pattern and a replacement, which may both hold references to fields.
class Gsub final : public Operation {
 public:
  Gsub(FieldName field, std::optional<Regex> regex, TextReference pattern, TextReference replacement)
      : field_(std::move(field)),
        regex_(std::move(regex)),
        pattern_(std::move(pattern)),
        replacement_(std::move(replacement)) {}

  Done apply(Document& event, FilterRun& run) override {
    Value* const value = event.find(field_.path(event, run.now_ns));
    if (value == nullptr || !(value->is(Kind::text) || value->is(Kind::list))) return Done::yes;
    with_.clear();
    logstash::append_reference(replacement_, event, run.now_ns, with_);
    if (pattern_.parts().empty()) return apply(*regex_, *value, event, run);
    run.scratch.clear();
    logstash::append_reference(pattern_, event, run.now_ns, run.scratch);
    const auto made = compile_ruby(run.scratch);
    return made ? apply(*made, *value, event, run) : Done::failed;
  }

 private:
  Done apply(const Regex& regex, Value& value, Document& event, FilterRun& run) const {
    if (!value.is(Kind::list)) return one(regex, value, event, run);
    for (Value& item : value.items())
      if (item.is(Kind::text) && one(regex, item, event, run) == Done::failed) return Done::failed;
    return Done::yes;
  }
  Done one(const Regex& regex, Value& value, Document& event, FilterRun& run) const {
    run.scratch.clear();
    if (!regex.replace(value.text(), with_, run.scratch)) return Done::failed;
    if (run.scratch != value.text()) value = Value::of(event.arena().store(run.scratch));
    return Done::yes;
  }

  FieldName field_;
  std::optional<Regex> regex_;  ///< none: the pattern holds references
  TextReference pattern_, replacement_;
  std::string with_;
};

class Merge final : public Operation {
 public:
  Merge(FieldName into, FieldName from) : into_(std::move(into)), from_(std::move(from)) {}

  Done apply(Document& event, FilterRun& run) override {
    event::Arena& arena = event.arena();
    const Value* const found = event.find(from_.path(event, run.now_ns));
    const Value added = found == nullptr ? Value() : event::copy_value(*found, arena);
    Value* const into = event.find(into_.path(event, run.now_ns));
    const bool into_map = into != nullptr && into->is(Kind::map);
    if (into_map != added.is(Kind::map)) return Done::yes;
    if (into_map) {
      for (const auto& member : added.members()) into->set(arena, member.name, member.value);
      return Done::yes;
    }
    // Whatever there was is a list afterwards.
    const Value list = Value::list(arena);
    if (into != nullptr) add(*into, list, arena);
    add(added, list, arena);
    return event.set(into_.path(event, run.now_ns), list) ? Done::yes : Done::failed;
  }

 private:
  static void add(const Value& value, const Value& list, event::Arena& arena) {
    if (value.is(Kind::null)) return;
    if (!value.is(Kind::list)) return list.append(arena, value);
    for (const Value& item : value.items()) list.append(arena, item);
  }

  FieldName into_, from_;
};

class Mutate final : public Filter {
 public:
  explicit Mutate(std::string tag) : tag_(std::move(tag)) {}
  void add(std::unique_ptr<Operation> operation) { operations_.push_back(std::move(operation)); }

  bool apply(Document& event, FilterRun& run) override {
    for (const auto& operation : operations_) {
      if (operation->apply(event, run) == Done::yes) continue;
      event.tag(tag_);
      return false;
    }
    return true;
  }

 private:
  std::vector<std::unique_ptr<Operation>> operations_;
  std::string tag_;
};

bool to_upper(std::string_view text, std::string& out) {
  append_upper(text, out);
  return true;
}
bool to_lower(std::string_view text, std::string& out) {
  append_lower(text, out);
  return true;
}
bool to_capital(std::string_view text, std::string& out) {
  const std::size_t first = std::min(character_bytes(text), text.size());
  append_upper(text.substr(0, first), out);
  append_lower(text.substr(first), out);
  return true;
}
bool stripped(std::string_view text, std::string& out) {
  constexpr std::string_view kBlank(" \t\n\v\f\r\0", 7);
  const auto begin = text.find_first_not_of(kBlank);
  if (begin != std::string_view::npos) out = text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
  return true;
}

class Maker {
 public:
  explicit Maker(logstash::PluginOptions& options)
      : options_(options), mutate_(std::make_unique<Mutate>(options.text("tag_on_failure", "_mutate_error"))) {}

  std::unique_ptr<Filter> make() {
    assign("coerce", Assign::When::null);
    for (const auto& [from, to] : options_.pairs("rename")) move("rename", from, to, false);
    assign("update", Assign::When::there);
    assign("replace", Assign::When::always);
    for (const auto& [field, type] : options_.pairs("convert")) convert(field, type);
    gsub();
    each("uppercase", to_upper);
    each("capitalize", to_capital);
    each("lowercase", to_lower);
    each("strip", stripped);
    for (const auto& [field, separator] : options_.pairs("split"))
      mutate_->add(std::make_unique<Split>(name("split", field), separator));
    for (const auto& [field, separator] : options_.pairs("join"))
      mutate_->add(std::make_unique<Join>(name("join", field), separator));
    for (const auto& [into, sources] : options_.hash("merge"))
      for (const auto& from : sources) mutate_->add(std::make_unique<Merge>(name("merge", into), name("merge", from)));
    for (const auto& [from, targets] : options_.hash("copy"))
      for (const auto& to : targets) move("copy", from, to, true);
    for (const std::string_view old : {"remove"})
      if (options_.has(old)) options_.mistake(old, "is gone since Logstash 5; write remove_field");
    return std::move(mutate_);
  }

 private:
  FieldName name(std::string_view option, const std::string& text) { return {options_, option, text}; }

  void assign(std::string_view option, Assign::When when) {
    for (const auto& [field, text] : options_.pairs(option))
      mutate_->add(std::make_unique<Assign>(name(option, field), options_.as_reference(option, text), when));
  }
  void move(std::string_view option, const std::string& from, const std::string& to, bool keep) {
    mutate_->add(std::make_unique<Move>(name(option, from), name(option, to), keep));
  }
  void each(std::string_view option, bool (*change)(std::string_view, std::string&)) {
    for (const auto& field : options_.texts(option))
      mutate_->add(std::make_unique<EachText>(name(option, field), change));
  }
  void convert(const std::string& field, const std::string& type) {
    constexpr std::string_view kTypes[] = {"integer", "integer_eu", "float", "float_eu", "string", "boolean"};
    const auto* const found = std::ranges::find(kTypes, type);
    if (found == std::end(kTypes)) {
      options_.mistake("convert", fmt::format("\"{}\" is not one of {}", type, fmt::join(kTypes, ", ")));
      return;
    }
    mutate_->add(std::make_unique<Convert>(name("convert", field), static_cast<Type>(found - std::begin(kTypes))));
  }
  void gsub() {
    const auto parts = options_.texts("gsub");
    if (parts.size() % 3 != 0) {
      options_.mistake("gsub", "takes a field, a pattern and a replacement in turn, so three texts for each");
      return;
    }
    for (std::size_t i = 0; i < parts.size(); i += 3) {
      std::optional<Regex> regex;
      TextReference pattern;
      auto reference = options_.as_reference("gsub", parts[i + 1]);
      if (!reference.is_literal()) {
        pattern = std::move(reference);
      } else if (auto compiled = compile_ruby(parts[i + 1])) {
        regex.emplace(std::move(*compiled));
      } else {
        options_.mistake("gsub", compiled.error().text());
        continue;
      }
      mutate_->add(std::make_unique<Gsub>(name("gsub", parts[i]), std::move(regex), std::move(pattern),
                                          options_.as_reference("gsub", parts[i + 2])));
    }
  }

  logstash::PluginOptions& options_;
  std::unique_ptr<Mutate> mutate_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  return Maker(options).make();
}

}  // namespace

extern const FilterPlugin filter_mutate;
const FilterPlugin filter_mutate = {"mutate", "Renames, converts, replaces, splits and joins fields.", make};

}  // namespace enclave::pipeline
