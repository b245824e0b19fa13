#include "pipeline/flow/event_fields.h"

namespace enclave::pipeline {

using event::Kind;
using event::Value;

std::string_view event_fields(const event::Event& from, const event::Document& document, std::string& scratch) {
  const Value kept = Value::map(document.arena(), document.root().members().size());
  for (const auto& member : document.root().members()) {
    const bool is_line =
        member.name == event::kMessageField && member.value.is(Kind::text) && member.value.text() == from.raw;
    if (is_line || member.name == "journal") continue;
    kept.append_member(document.arena(), member.name, member.value);
  }
  scratch.assign(from.fields);
  if (!from.fields.empty()) scratch += ',';
  scratch += "\"event\":";
  append_json(event::Document(document.arena(), kept), scratch);
  return scratch;
}

}  // namespace enclave::pipeline
