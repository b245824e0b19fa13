#include "pipeline/json_events.h"

#include "pipeline/logstash/iso8601.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

void fail(std::string_view text, event::Arena& arena, std::vector<event::Document>& into) {
  auto& event = into.emplace_back(arena);
  event.set(event::kMessageField, Value::of(text));
  event.tag("_jsonparsefailure");
}

void read_time(event::Document& event, FilterRun& run) {
  Value* const time = event.find(event::kTimeField);
  if (time == nullptr) return;
  static const logstash::Timezone kUtc = logstash::Timezone::utc();
  if (time->is(Kind::text)) {
    if (const auto wall_ns = logstash::parse_iso8601(time->text(), kUtc)) {
      *time = Value::time(*wall_ns);
      return;
    }
  }
  const Value was = *time;
  *time = Value::time(run.now_ns);
  if (was.is(Kind::null)) return;
  event.set("_@timestamp", was);
  event.tag("_timestampparsefailure");
}

}  // namespace

void JsonEvents::add(const Value& object, event::Arena& arena, FilterRun& run,
                     std::vector<event::Document>& into) const {
  if (!target_) return read_time(into.emplace_back(arena, object), run);
  into.emplace_back(arena).set(event::Path(target_->segments()), object);
}

void JsonEvents::decode(std::string_view text, event::Arena& arena, FilterRun& run,
                        std::vector<event::Document>& into) const {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  const auto read = run.json.read(text, arena);
  if (!read) return fail(text, arena, into);
  if (read->is(Kind::map)) return add(*read, arena, run, into);
  if (!read->is(Kind::list)) return fail(text, arena, into);
  for (const Value& item : read->items()) {
    if (item.is(Kind::map))
      add(item, arena, run, into);
    else
      fail(text, arena, into);
  }
}

}  // namespace enclave::pipeline
