#include "cli/line_cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time.h"
#include "pipeline/config/yaml.h"
#include "pipeline/filebeat/event_keys.h"
#include "pipeline/logstash/field_reference.h"

namespace enclave::cli {
namespace {

using event::Kind;
using event::Value;

using Expected = std::vector<std::pair<std::string, const Node*>>;

struct TestCase {
  std::string name, line;
  const Node* event = nullptr;
  std::vector<Expected> events;  ///< all that must come out, when `all` is set; else the first
  bool all = false, dropped = false;
  std::int64_t now_ns = 0;
  LineTrial* trial = nullptr;
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

Expected fields_of(const Node& node) {
  Expected out;
  for (const auto& field : node.members) out.emplace_back(field.key, &field.value);
  return out;
}

class CaseReader {
 public:
  CaseReader(Trials& trials, std::int64_t now_ns, Diagnostics& diagnostics)
      : trials_(trials), now_ns_(now_ns), diagnostics_(diagnostics) {}

  TestCase read(const Node& node, std::size_t number) {
    TestCase one;
    one.name = fmt::format("case {} ({}:{})", number, node.place.file, node.place.line);
    one.now_ns = now_ns_;
    if (node.kind != Node::Kind::map) {
      diagnostics_.error(node.place, "a case is a map with line or event, and expect, events or dropped");
      return one;
    }
    for (const auto& member : node.members)
      if (!take(member, one)) refuse(member);
    if (node.find("line") == nullptr && one.event == nullptr)
      diagnostics_.error(node.place, "a case needs line: a text, or event: a map");
    if (one.events.empty() && !one.dropped)
      diagnostics_.error(node.place, "a case needs expect: {field: value}, or dropped: true");
    choose_trial(node, one);
    return one;
  }

 private:
  bool take(const Node::Member& member, TestCase& one) {
    const Node& value = member.value;
    const bool is_text = value.kind == Node::Kind::scalar;
    if (member.key == "name" || member.key == "pipeline" || member.key == "input") {
      if (member.key == "name") one.name = value.scalar;
      return is_text;
    }
    if (member.key == "line") return one.line = value.scalar, is_text;
    if (member.key == "event") return one.event = &value, value.kind == Node::Kind::map;
    if (member.key == "dropped") return one.dropped = value.scalar == "true", one.dropped || value.scalar == "false";
    if (member.key == "expect") return one.events.push_back(fields_of(value)), value.kind == Node::Kind::map;
    if (member.key == "now") {
      const auto time = parse_time(value.scalar);
      return one.now_ns = time.value_or(now_ns_), time.has_value();
    }
    if (member.key != "events" || value.kind != Node::Kind::list) return false;
    one.all = true;
    for (const Node& each : value.items) {
      if (each.kind != Node::Kind::map) return false;
      one.events.push_back(fields_of(each));
    }
    return true;
  }

  void refuse(const Node::Member& member) {
    constexpr std::string_view kKeys[] = {"name",    "line", "event",    "expect", "events",
                                          "dropped", "now",  "pipeline", "input"};
    const std::string near = nearest(member.key, kKeys);
    diagnostics_.error(member.place,
                       fmt::format("\"{}\" is not a key of a case, or its value is of the wrong kind{}", member.key,
                                   near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }

  void choose_trial(const Node& node, TestCase& one) {
    const bool is_filebeat = trials_.pipelines().empty();
    const std::string key = is_filebeat ? "input" : "pipeline";
    const Node* const named = node.find(key);
    std::string problem;
    one.trial = find_trial(is_filebeat ? trials_.inputs() : trials_.pipelines(), named ? named->scalar : "", problem);
    if (one.trial == nullptr)
      diagnostics_.error(named ? named->place : node.place, fmt::format("{}: {}", key, problem));
  }

  Trials& trials_;
  const std::int64_t now_ns_;
  Diagnostics& diagnostics_;
};

/// Fields are references such as [a][b], or names. A time is a time wherever the event has one.
void put_fields(const Node& fields, event::Document& event, event::JsonReader& reader) {
  event::Arena& arena = event.arena();
  for (const auto& member : fields.members) {
    Value value = value_of(member.value, arena, reader);
    if (member.key == event::kTimeField && value.is(Kind::text))
      if (const auto time = parse_time(value.text())) value = Value::time(*time);
    const auto field = pipeline::logstash::FieldReference::parse(member.key);
    if (!field || !event.set(event::Path(field->segments()), value)) event.set(arena.store(member.key), value);
  }
}

void compare(const Expected& expected, const event::Document& event, const std::string& which,
             std::vector<std::string>& differences) {
  for (const auto& [name, wanted] : expected) {
    const auto field = pipeline::logstash::FieldReference::parse(name);
    const Value* value = field ? event.find(event::Path(field->segments())) : nullptr;
    // Filebeat's names of fields have dots where its events have maps.
    if (value == nullptr) value = pipeline::filebeat::find_key(event.root(), name);
    if (as_expected(*wanted, value)) continue;
    std::string is = "nothing";
    if (value != nullptr) {
      is.clear();
      append_json(*value, is);
    }
    differences.push_back(fmt::format("{}{} is {}, expected was {}", which, name, is, shown(*wanted)));
  }
}

CaseResult run_case(const TestCase& one) {
  CaseResult result{one.name, {}};
  event::Arena arena;
  pipeline::FilterRun run;
  run.now_ns = one.now_ns;
  auto events = one.trial->read(one.line, arena, run);
  if (one.event != nullptr) {
    for (auto& event : events) {
      if (one.line.empty()) event.erase(event::kMessageField);
      put_fields(*one.event, event, run.json);
    }
  }
  std::erase_if(events, [](const auto& event) { return event.cancelled; });
  std::vector<std::string> hints;
  one.trial->apply(events, run, [&](const LineTrial::Step& step, const event::Document&) {
    if (!step.hints.empty()) hints.push_back(step.name + ":");
    for (const auto& hint : step.hints) hints.push_back("  " + hint);
  });
  if (one.dropped != events.empty()) {
    result.differences.push_back(one.dropped ? "it was expected to be dropped, and was not" : "it was dropped");
    return result;
  }
  if (one.all && one.events.size() != events.size())
    result.differences.push_back(
        fmt::format("{} events came of it, expected were {}", events.size(), one.events.size()));
  for (std::size_t i = 0; i < std::min(one.events.size(), events.size()); ++i)
    compare(one.events[i], events[i], one.all ? fmt::format("event {}: ", i + 1) : "", result.differences);
  if (!result.differences.empty()) result.differences.insert(result.differences.end(), hints.begin(), hints.end());
  return result;
}

}  // namespace

std::vector<CaseResult> run_cases(std::string_view text, const std::string& file, Trials& trials, std::int64_t now_ns,
                                  Diagnostics& diagnostics) {
  Diagnostics told;
  const Node root = pipeline::parse_yaml(text, file, told);
  CaseReader reader(trials, now_ns, told);
  std::vector<TestCase> cases;
  if (!told.has_errors() && root.kind != Node::Kind::list)
    told.error(root.place, "a list of cases is wanted: - {line: text, expect: {field: value}}");
  if (!told.has_errors())
    for (const Node& node : root.items) cases.push_back(reader.read(node, cases.size() + 1));
  for (const auto& entry : told.entries())
    entry.severity == Diagnostics::Severity::error ? diagnostics.error(entry.place, entry.text)
                                                   : diagnostics.warning(entry.place, entry.text);
  std::vector<CaseResult> results;
  if (told.has_errors()) return results;
  results.reserve(cases.size());
  for (const auto& one : cases) results.push_back(run_case(one));
  return results;
}

}  // namespace enclave::cli
