#include "cli/logstash_cases.h"

#include <fmt/format.h>

#include "pipeline/config/yaml.h"
#include "pipeline/logstash/field_reference.h"

namespace enclave::cli {
namespace {

using event::Kind;
using event::Value;

struct TestCase {
  std::string name, line;
  const Node* event = nullptr;
  std::vector<std::pair<std::string, const Node*>> expect;
  bool dropped = false;
};

/// YAML has no kinds of scalars here: what reads as JSON is that value, all else is a text.
Value value_of(const Node& node, event::Arena& arena, event::JsonReader& reader) {
  if (node.kind == Node::Kind::null) return {};
  if (node.kind == Node::Kind::scalar) {
    if (const auto value = reader.read(node.scalar, arena); value && !value->is(Kind::map) && !value->is(Kind::list))
      return *value;
    return Value::of(arena.store(node.scalar));
  }
  if (node.kind == Node::Kind::list) {
    const Value list = Value::list(arena);
    for (const Node& item : node.items) list.append(arena, value_of(item, arena, reader));
    return list;
  }
  const Value map = Value::map(arena);
  for (const auto& member : node.members)
    map.set(arena, arena.store(member.key), value_of(member.value, arena, reader));
  return map;
}

/// The same value, or the same text: an expectation need not know whether "5" is a number by now. Lists and maps by
/// their items.
bool as_expected(const Node& node, const Value* value) {
  if (value == nullptr || value->is(Kind::null)) return node.kind == Node::Kind::null;
  if (node.kind == Node::Kind::scalar) {
    std::string text;
    event::append_text(*value, text);
    return !value->is(Kind::map) && !value->is(Kind::list) && text == node.scalar;
  }
  if (node.kind == Node::Kind::list) {
    if (!value->is(Kind::list) || value->items().size() != node.items.size()) return false;
    for (std::size_t i = 0; i < node.items.size(); ++i)
      if (!as_expected(node.items[i], &value->items()[i])) return false;
    return true;
  }
  if (node.kind != Node::Kind::map || !value->is(Kind::map) || value->members().size() != node.members.size())
    return false;
  for (const auto& member : node.members)
    if (!as_expected(member.value, value->find(member.key))) return false;
  return true;
}

std::string shown(const Node& node) {
  event::Arena arena;
  event::JsonReader reader;
  std::string json;
  append_json(value_of(node, arena, reader), json);
  return json;
}

TestCase read_case(const Node& node, std::size_t number, Diagnostics& diagnostics) {
  TestCase one;
  one.name = fmt::format("case {} ({}:{})", number, node.place.file, node.place.line);
  if (node.kind != Node::Kind::map) {
    diagnostics.error(node.place, "a case is a map with line or event, and expect or dropped");
    return one;
  }
  constexpr std::string_view kKeys[] = {"name", "line", "event", "expect", "dropped"};
  for (const auto& member : node.members) {
    if (member.key == "name") {
      one.name = member.value.scalar;
    } else if (member.key == "line" && member.value.kind == Node::Kind::scalar) {
      one.line = member.value.scalar;
    } else if (member.key == "event" && member.value.kind == Node::Kind::map) {
      one.event = &member.value;
    } else if (member.key == "expect" && member.value.kind == Node::Kind::map) {
      for (const auto& field : member.value.members) one.expect.emplace_back(field.key, &field.value);
    } else if (member.key == "dropped" && (member.value.scalar == "true" || member.value.scalar == "false")) {
      one.dropped = member.value.scalar == "true";
    } else {
      const std::string near = nearest(member.key, kKeys);
      diagnostics.error(member.place,
                        fmt::format("\"{}\" is not a key of a case, or its value is of the wrong kind{}", member.key,
                                    near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
    }
  }
  if (node.find("line") == nullptr && one.event == nullptr)
    diagnostics.error(node.place, "a case needs line: a text, or event: a map");
  if (one.expect.empty() && !one.dropped)
    diagnostics.error(node.place, "a case needs expect: {field: value}, or dropped: true");
  return one;
}

CaseResult run_case(const TestCase& one, pipeline::logstash::Program& program, std::int64_t now_ns) {
  CaseResult result{one.name, {}};
  event::Arena arena;
  pipeline::FilterRun run;
  run.now_ns = now_ns;
  event::Document first = line_event(one.line, now_ns, arena);
  if (one.event != nullptr) {
    if (one.line.empty()) first.erase(event::kMessageField);
    for (const auto& member : one.event->members)
      first.set(arena.store(member.key), value_of(member.value, arena, run.json));
  }
  std::vector events{first};
  program.run(events, run);
  if (one.dropped != events.empty()) {
    result.differences.push_back(one.dropped ? "it was expected to be dropped, and was not" : "it was dropped");
    return result;
  }
  for (const auto& [name, wanted] : one.expect) {
    const auto field = pipeline::logstash::FieldReference::parse(name);
    const Value* const value = field ? events[0].find(event::Path(field->segments())) : nullptr;
    if (as_expected(*wanted, value)) continue;
    std::string is = "nothing";
    if (value != nullptr) {
      is.clear();
      append_json(*value, is);
    }
    result.differences.push_back(fmt::format("{} is {}, expected was {}", name, is, shown(*wanted)));
  }
  return result;
}

}  // namespace

event::Document line_event(std::string_view line, std::int64_t now_ns, event::Arena& arena) {
  event::Document event(arena);
  event.set_wall_ns(now_ns);
  event.set(event::kVersionField, Value::of(std::string_view("1")));
  event.set(event::kMessageField, Value::of(arena.store(line)));
  return event;
}

std::vector<CaseResult> run_cases(std::string_view text, const std::string& file, pipeline::logstash::Program& program,
                                  std::int64_t now_ns, Diagnostics& diagnostics) {
  const Node root = pipeline::parse_yaml(text, file, diagnostics);
  if (diagnostics.has_errors()) return {};
  if (root.kind != Node::Kind::list) {
    diagnostics.error(root.place, "a list of cases is wanted: - {line: text, expect: {field: value}}");
    return {};
  }
  std::vector<TestCase> cases;
  for (const Node& node : root.items) cases.push_back(read_case(node, cases.size() + 1, diagnostics));
  std::vector<CaseResult> results;
  if (diagnostics.has_errors()) return results;
  results.reserve(cases.size());
  for (const auto& one : cases) results.push_back(run_case(one, program, now_ns));
  return results;
}

}  // namespace enclave::cli
