#include <algorithm>

#include "cli/check_files.h"
#include "cli/config_file.h"
#include "cli/printable.h"
#include "cli/trials.h"
#include "event/json.h"

namespace enclave::cli {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Names in order, so that what a filter changed is easy to see.
Fields fields_of(const event::Document& event) {
  Fields fields;
  for (const auto& member : event.root().members()) {
    std::string json;
    event::append_json(member.value, json);
    fields.emplace_back(printable(member.name), printable(json));
  }
  std::ranges::sort(fields);
  return fields;
}

bool has(const Fields& fields, const std::string& name) {
  return std::ranges::any_of(fields, [&](const auto& each) { return each.first == name; });
}

/// "-" what is gone, "+" what is new, "<" and ">" what a field was and what it is.
std::vector<std::string> changes(const Fields& before, const Fields& after) {
  std::vector<std::string> out;
  const auto add = [&](const char* mark, const auto& field) {
    out.push_back(fmt::format("    {} {}: {}\n", mark, field.first, field.second));
  };
  for (const auto& field : before)
    if (std::ranges::find(after, field) == after.end()) add(has(after, field.first) ? "<" : "-", field);
  for (const auto& field : after)
    if (std::ranges::find(before, field) == before.end()) add(has(before, field.first) ? ">" : "+", field);
  return out;
}

/// Prints what each step did. An event is known again by its fields: of those that have not passed the step it is the
/// one that changed least.
class Explainer {
 public:
  Explainer(Shell& shell, event::Arena& arena) : shell_(shell), arena_(arena) {
    run_.now_ns = shell.world.clock.wall_ns();
  }

  pipeline::FilterRun& run() { return run_; }
  event::Arena& arena() { return arena_; }

  void begin(const std::vector<event::Document>& events) {
    known_.clear();
    for (const auto& event : events) add(event, nullptr);
  }

  void take(const LineTrial::Step& step, const event::Document& after) {
    shell_.out << fmt::format("{}{}\n", step.name,
                              after.cancelled  ? ": dropped"
                              : step.succeeded ? ""
                                               : ": did not succeed");
    for (const auto& hint : step.hints) shell_.out << "    ? " << printable(hint) << "\n";
    auto fields = fields_of(after);
    const auto least = std::ranges::min_element(known_, {}, [&](const Known& known) {
      return std::pair(known.passed == step.id, changes(known.fields, fields).size());
    });
    if (least == known_.end()) return;
    print(changes(least->fields, fields));
    *least = {std::move(fields), step.id};
    if (after.cancelled) known_.erase(least);
    for (const auto& made : run_.made) {
      shell_.out << "  made:\n";
      add(made, step.id);
    }
  }

  void end(const std::vector<event::Document>& events) {
    for (const auto& event : events) {
      std::string json;
      append_json(event, json);
      shell_.out << printable(json) << "\n";
    }
    if (events.empty()) shell_.out << "nothing is left of it\n";
  }

 private:
  struct Known {
    Fields fields;
    const void* passed;  ///< the latest step
  };

  void add(const event::Document& event, const void* passed) {
    known_.push_back({fields_of(event), passed});
    print(changes({}, known_.back().fields));
  }

  void print(const std::vector<std::string>& lines) {
    for (const auto& line : lines) shell_.out << line;
  }

  Shell& shell_;
  event::Arena& arena_;
  pipeline::FilterRun run_;
  std::vector<Known> known_;
};

void apply(LineTrial& trial, std::vector<event::Document>& events, Explainer& explainer) {
  trial.apply(events, explainer.run(),
              [&](const LineTrial::Step& step, const event::Document& after) { explainer.take(step, after); });
}

/// What Filebeat ships, through each of Logstash's pipelines.
void explain_pipelines(std::vector<Trials::Named>& pipelines, const std::vector<event::Document>& shipped, Shell& shell,
                       Explainer& explainer) {
  for (auto& each : pipelines) {
    if (pipelines.size() > 1) shell.out << "pipeline " << each.name << "\n";
    std::vector<event::Document> events;
    for (const auto& event : shipped) events.push_back(event.copy());
    explainer.begin(events);
    apply(*each.trial, events, explainer);
    explainer.end(events);
  }
}

}  // namespace

int explain_line(const Arguments& arguments, Shell& shell) {
  Diagnostics diagnostics;
  Trials trials(shell);
  if (arguments.has("logstash")) trials.read_logstash(absolute_path(shell, arguments.value("logstash")), diagnostics);
  if (arguments.has("filebeat"))
    trials.read_filebeat(absolute_path(shell, arguments.value("filebeat")), arguments.value("compat"), diagnostics);
  if (diagnostics.has_errors()) {
    shell.err << diagnostics.text();
    return kFailed;
  }
  const std::string line = arguments.value("explain-line");
  event::Arena arena;
  Explainer explainer(shell, arena);
  for (auto& input : trials.inputs()) {
    if (trials.inputs().size() > 1) shell.out << "input " << input.name << "\n";
    auto events = input.trial->read(line, arena, explainer.run());
    const bool left_out = std::erase_if(events, [](const auto& event) { return event.cancelled; }) > 0;
    if (left_out) shell.out << "the input leaves it out\n";
    explainer.begin(events);
    apply(*input.trial, events, explainer);
    if (events.empty() || trials.pipelines().empty()) {
      if (!left_out || !events.empty()) explainer.end(events);
      continue;
    }
    for (auto& event : events) event.set(event::kVersionField, event::Value::of(std::string_view("1")));
    explain_pipelines(trials.pipelines(), events, shell, explainer);
  }
  if (arguments.has("filebeat")) return kGood;
  for (auto& each : trials.pipelines()) {
    if (trials.pipelines().size() > 1) shell.out << "pipeline " << each.name << "\n";
    auto events = each.trial->read(line, arena, explainer.run());
    explainer.begin(events);
    apply(*each.trial, events, explainer);
    explainer.end(events);
  }
  return kGood;
}

}  // namespace enclave::cli
