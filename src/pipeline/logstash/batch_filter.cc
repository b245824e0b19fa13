#include "pipeline/logstash/batch_filter.h"

namespace enclave::pipeline::logstash {
namespace {

using event::Kind;
using event::Value;

/// The path in "file:/var/log/a.log@1f3a9c02"; empty for other sources.
std::string_view path_of(std::string_view source) {
  constexpr std::string_view kFile = "file:";
  if (!source.starts_with(kFile)) return {};
  source.remove_prefix(kFile.size());
  return source.substr(0, source.rfind('@'));
}

Value nested(event::Arena& arena, std::initializer_list<std::string_view> names, Value value) {
  for (auto name = names.end(); name != names.begin();) {
    const Value map = Value::map(arena, 2);
    map.set(arena, *--name, value);
    value = map;
  }
  return value;
}

class BatchFilter final : public EventFilter {
 public:
  BatchFilter(Program& program, std::string host) : program_(program), host_(std::move(host)) {}

  std::uint64_t apply(event::Batch& batch) override {
    arena_.clear();
    documents_.clear();
    run_.now_ns = batch.wall_ns;
    documents_.reserve(batch.events.size());
    for (std::uint32_t i = 0; i < batch.events.size(); ++i) {
      documents_.push_back(document_of(batch, batch.events[i]));
      documents_.back().reading = i;
    }
    program_.run(documents_, run_);
    return take_back(batch);
  }

 private:
  event::Document document_of(const event::Batch& batch, const event::Event& from) {
    event::Document event(arena_, root_of(from));
    event.set_wall_ns(batch.wall_ns);
    event.set(event::kVersionField, Value::of(std::string_view("1")));
    event.set(event::kMessageField, Value::of(from.raw));
    event.set("host", nested(arena_, {"name"}, Value::of(std::string_view(host_))));
    if (const auto path = path_of(batch.sources[from.source].source); !path.empty())
      event.set("log", nested(arena_, {"file", "path"}, Value::of(path)));
    return event;
  }

  /// What the input knows besides, such as the journal's fields.
  Value root_of(const event::Event& from) {
    if (from.fields.empty()) return Value::map(arena_, 16);
    run_.scratch.assign("{").append(from.fields).append("}");
    const auto read = run_.json.read(run_.scratch, arena_);
    return read ? *read : Value::map(arena_, 16);
  }

  std::uint64_t take_back(event::Batch& batch) {
    std::vector<event::Event> events;
    events.reserve(documents_.size());
    for (auto& range : batch.sources) range.count = 0;
    std::uint64_t gone = 0;
    std::uint32_t next = 0;
    for (auto& document : documents_) {
      if (document.reading >= next) {
        gone += document.reading - next;
        next = document.reading + 1;
      }
      event::Event event = batch.events[document.reading];
      event.fields = batch.store(fields_of(event, document));
      ++batch.sources[event.source].count;
      events.push_back(event);
    }
    gone += batch.events.size() - next;
    batch.events = std::move(events);
    return gone;
  }

  const std::string& fields_of(const event::Event& event, event::Document& document) {
    // The record has these already: the line as `raw`, and the members of the input.
    const Value* const message = document.find(event::kMessageField);
    if (message != nullptr && message->is(Kind::text) && message->text() == event.raw)
      document.erase(event::kMessageField);
    document.erase("journal");
    run_.scratch.assign(event.fields);
    if (!event.fields.empty()) run_.scratch += ',';
    run_.scratch += "\"event\":";
    append_json(document, run_.scratch);
    return run_.scratch;
  }

  Program& program_;
  std::string host_;
  event::Arena arena_;
  FilterRun run_;
  std::vector<event::Document> documents_;
};

}  // namespace

std::unique_ptr<EventFilter> batch_filter(Program& program, std::string host) {
  return std::make_unique<BatchFilter>(program, std::move(host));
}

}  // namespace enclave::pipeline::logstash
