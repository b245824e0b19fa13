#include "pipeline/logstash/decorations.h"

namespace enclave::pipeline::logstash {

using event::Kind;

void append_reference(const TextReference& reference, const event::Document& event, std::int64_t now_ns,
                      std::string& out) {
  reference.append(
      event.wall_ns(), now_ns,
      [&](const TextReference::Part& part, std::string& text) {
        const event::Value* const value = event.find(event::Path(part.field->segments()));
        if (value == nullptr || value->is(Kind::null)) return false;
        event::append_text(*value, text);
        return true;
      },
      out);
}

FieldName::FieldName(PluginOptions& options, std::string_view option, const std::string& text)
    : text_(options.as_reference(option, text)),
      field_(text_.is_literal() ? options.as_field(option, text) : *FieldReference::parse("unused")) {}

event::Path FieldName::path(const event::Document& event, std::int64_t now_ns) {
  if (text_.is_literal()) return field_.segments();
  scratch_.clear();
  append_reference(text_, event, now_ns, scratch_);
  // What an event says may be no field reference: then it is a name.
  auto field = FieldReference::parse(scratch_);
  if (!field) field = FieldReference::parse(scratch_, FieldReference::Mode::legacy);
  if (field) field_ = std::move(*field);
  return field_.segments();
}

Decorations::Decorations(PluginOptions& options) {
  for (const auto& [name, values] : options.hash("add_field")) {
    std::vector<TextReference> texts;
    for (const auto& value : values) texts.push_back(options.as_reference("add_field", value));
    add_fields_.emplace_back(FieldName(options, "add_field", name), std::move(texts));
  }
  for (const auto& name : options.texts("remove_field")) remove_fields_.emplace_back(options, "remove_field", name);
  for (const auto& tag : options.texts("add_tag")) add_tags_.push_back(options.as_reference("add_tag", tag));
  for (const auto& tag : options.texts("remove_tag")) remove_tags_.push_back(options.as_reference("remove_tag", tag));
}

void add_value(event::Document& event, event::Path path, event::Value value) {
  event::Value* const known = event.find(path);
  if (known == nullptr) {
    event.set(path, value);
    return;
  }
  if (!known->is(Kind::list)) {
    const event::Value list = event::Value::list(event.arena());
    list.append(event.arena(), *known);
    *known = list;
  }
  known->append(event.arena(), value);
}

void Decorations::apply(event::Document& event, FilterRun& run) {
  const auto text_of = [&](const TextReference& reference) -> std::string_view {
    run.scratch.clear();
    append_reference(reference, event, run.now_ns, run.scratch);
    return run.scratch;
  };
  for (auto& [name, values] : add_fields_)
    for (const auto& value : values) {
      const auto text = event::Value::of(event.arena().store(text_of(value)));
      add_value(event, name.path(event, run.now_ns), text);
    }
  for (auto& name : remove_fields_) event.erase(name.path(event, run.now_ns));
  for (const auto& tag : add_tags_) event.tag(text_of(tag));
  for (const auto& tag : remove_tags_) event.untag(text_of(tag));
}

}  // namespace enclave::pipeline::logstash
