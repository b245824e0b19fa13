#include "pipeline/dissection.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace enclave::pipeline {

using event::Value;

Result<Dissection::Part> Dissection::part_of(std::string_view key) {
  Part part;
  if (key.ends_with("->")) {
    part.padded = true;
    key.remove_suffix(2);
  }
  if (key.starts_with('?') || key.empty()) {
    part.kind = Kind::skip;
  } else if (key.starts_with('+')) {
    part.kind = Kind::append;
  } else if (key.starts_with('&')) {
    part.kind = Kind::indirect;
  }
  if (part.kind != Kind::normal && !key.empty()) key.remove_prefix(1);
  if (const std::size_t slash = key.rfind('/'); part.kind == Kind::append && slash != std::string_view::npos) {
    const std::string_view digits = key.substr(slash + 1);
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), part.order);
    if (fault == std::errc() && end == digits.data() + digits.size()) key = key.substr(0, slash);
  }
  if (key.empty() && part.kind != Kind::skip)
    return Error{Fault::invalid, "a \"%{{+}}\" or \"%{{&}}\" names no field; write %{{+name}}"};
  part.name = key;
  if (part.kind == Kind::normal || part.kind == Kind::append)
    part.field = TRY(logstash::FieldReference::parse(part.name));
  return part;
}

Result<Dissection> Dissection::compile(std::string_view pattern) {
  Dissection out;
  std::string_view delimiter;
  while (true) {
    const std::size_t open = pattern.find("%{");
    const std::size_t close = open == std::string_view::npos ? open : pattern.find('}', open);
    if (close == std::string_view::npos) break;
    delimiter = pattern.substr(0, open);
    if (out.parts_.empty()) {
      out.prefix_ = delimiter;
    } else {
      if (delimiter.empty())
        return Error{Fault::invalid, "nothing stands between %{{{}}} and the field behind it: where would it end?",
                     out.parts_.back().name};
      out.parts_.back().after = delimiter;
    }
    Part part = TRY(part_of(pattern.substr(open + 2, close - open - 2)));
    if (!out.parts_.empty()) part.before = delimiter;
    out.parts_.push_back(std::move(part));
    if (out.parts_.size() > kPartsMax) return Error{Fault::limit, "more than {} fields", kPartsMax};
    pattern.remove_prefix(close + 1);
  }
  if (out.parts_.empty()) return Error{Fault::invalid, "\"{}\" has no field; write %{{name}}", pattern};
  out.parts_.back().after = pattern;
  out.values_.resize(out.parts_.size());
  // What is appended to must be there first, and what names a field too.
  for (const Kind kind : {Kind::normal, Kind::append, Kind::indirect}) {
    const std::size_t from = out.order_.size();
    for (std::size_t i = 0; i < out.parts_.size(); ++i)
      if (out.parts_[i].kind == kind) out.order_.push_back(i);
    std::stable_sort(out.order_.begin() + static_cast<std::ptrdiff_t>(from), out.order_.end(),
                     [&out](std::size_t a, std::size_t b) { return out.parts_[a].order < out.parts_[b].order; });
  }
  return out;
}

bool Dissection::take_apart(std::string_view text) {
  if (!text.starts_with(prefix_)) return false;
  text.remove_prefix(prefix_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::string& after = parts_[i].after;
    if (after.empty()) {
      values_[i] = text;
      return true;
    }
    const std::size_t at = text.find(after);
    if (at == std::string_view::npos) return false;
    values_[i] = text.substr(0, at);
    text.remove_prefix(at + after.size());
    while (parts_[i].padded && text.starts_with(after)) text.remove_prefix(after.size());
  }
  return true;
}

bool Dissection::apply(std::string_view text, event::Document& event) {
  if (text.empty() || !take_apart(text)) return false;
  for (const std::size_t i : order_) store(parts_[i], values_[i], event);
  return true;
}

void Dissection::store(const Part& part, std::string_view value, event::Document& event) const {
  if (part.kind == Kind::normal) {
    event.set(part.field.segments(), Value::of(value));
  } else if (part.kind == Kind::append) {
    append(part, value, event);
  } else if (const auto name = value_of(part, event); !name.empty()) {
    // The name is anybody's: what is no reference is the name of one field.
    const auto field = logstash::FieldReference::parse(name, logstash::FieldReference::Mode::legacy);
    if (field) event.set(field->segments(), Value::of(value));
  }
}

void Dissection::append(const Part& part, std::string_view value, event::Document& event) const {
  Value* const known = event.find(part.field.segments());
  if (known == nullptr || !known->is(event::Kind::text)) {
    event.set(part.field.segments(), Value::of(value));
    return;
  }
  const std::string_view first = known->text(), between = part.before.empty() ? " " : std::string_view(part.before);
  const auto room = event.arena().allocate_text(first.size() + between.size() + value.size());
  char* to = room.data();
  for (const std::string_view piece : {first, between, value}) {
    if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  *known = Value::of(std::string_view(room.data(), room.size()));
}

/// What the field holds whose value is to be a name: a part of this pattern, or a field of the event.
std::string_view Dissection::value_of(const Part& part, const event::Document& event) const {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i].kind != Kind::indirect && parts_[i].name == part.name) return values_[i];
  const auto field = logstash::FieldReference::parse(part.name, logstash::FieldReference::Mode::legacy);
  const Value* const value = field ? event.find(field->segments()) : nullptr;
  return value != nullptr && value->is(event::Kind::text) ? value->text() : std::string_view();
}

}  // namespace enclave::pipeline
