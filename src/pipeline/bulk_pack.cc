#include "pipeline/bulk_pack.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "pipeline/logstash/decorations.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Kind;
using event::Value;

constexpr std::string_view kStream = "data_stream";

void append_text_as_json(std::string_view text, std::string& out) { append_json(Value::of(text), out); }

/// What the event says of its stream, where it is a text; else what the configuration says.
std::string_view part_of(const Document& event, const BulkDataStream& stream, std::string_view name,
                         const std::string& otherwise) {
  const Value* const said = stream.from_event ? event.find(kStream) : nullptr;
  if (said == nullptr || !said->is(Kind::map)) return otherwise;
  const Value* const part = said->find(name);
  return part != nullptr && part->is(Kind::text) && !part->text().empty() ? part->text() : std::string_view(otherwise);
}

}  // namespace

void BulkPacker::pack(const event::Batch& /*batch*/, std::span<const Document> events, FilterRun& run, Parcel& into) {
  if (into.targets.empty()) into.targets.emplace_back();
  for (const Document& event : events) {
    if (chooser_ != nullptr) {
      add_chosen(event, into);
      continue;
    }
    if (!actions_.stream) {
      add(event, run, into);
      continue;
    }
    const std::size_t begin = into.bytes.size();
    add_to_stream(event, into.bytes);
    into.add(begin);
  }
}

void BulkPacker::member(std::string_view name, const logstash::TextReference& reference, const Document& event,
                        FilterRun& run, std::string& out) {
  run.scratch.clear();
  logstash::append_reference(reference, event, run.now_ns, run.scratch);
  if (run.scratch.empty()) return;
  if (out.back() != '{') out += ',';
  fmt::format_to(std::back_inserter(out), "\"{}\":", name);
  append_text_as_json(run.scratch, out);
}

void BulkPacker::add(const Document& event, FilterRun& run, Parcel& into) {
  std::string& out = into.bytes;
  const std::size_t begin = out.size();
  run.scratch.clear();
  logstash::append_reference(actions_.action, event, run.now_ns, run.scratch);
  const std::string_view action = run.scratch;
  const bool update = action == "update", erase = action == "delete";
  if (!update && !erase && action != "index" && action != "create") {
    const std::string reason = fmt::format("there is no action \"{}\"", action.substr(0, 100));
    append_json(event, out);
    return into.add(begin, into.target(reason));
  }
  if ((update || erase) && !actions_.id) {
    append_json(event, out);
    return into.add(begin, into.target("the action needs a document_id"));
  }
  fmt::format_to(std::back_inserter(out), "{{\"{}\":{{", action);
  member("_index", actions_.index, event, run, out);
  if (actions_.id) member("_id", *actions_.id, event, run, out);
  if (actions_.routing) member("routing", *actions_.routing, event, run, out);
  if (actions_.pipeline && !update && !erase) member("pipeline", *actions_.pipeline, event, run, out);
  if (actions_.version) member("version", *actions_.version, event, run, out);
  if (!actions_.version_type.empty())
    fmt::format_to(std::back_inserter(out), ",\"version_type\":\"{}\"", actions_.version_type);
  if (update && actions_.retry_on_conflict > 0)
    fmt::format_to(std::back_inserter(out), ",\"retry_on_conflict\":{}", actions_.retry_on_conflict);
  out += "}}\n";
  if (!erase) {
    if (update) out += "{\"doc\":";
    append_json(event, out);
    if (update) out += actions_.doc_as_upsert ? ",\"doc_as_upsert\":true}" : "}";
    out += '\n';
  }
  into.add(begin, 0);
}

void BulkPacker::add_chosen(const Document& event, Parcel& into) {
  std::string& out = into.bytes;
  const std::size_t begin = out.size();
  chooser_->choose(event, choice_);
  if (!choice_.why_not.empty()) {
    append_json(event, out);
    return into.add(begin, into.target(choice_.why_not));
  }
  out += choice_.create ? R"({"create":{"_index":)" : R"({"index":{"_index":)";
  append_text_as_json(choice_.index, out);
  for (const auto& [name, value] : {std::pair{"_id", &choice_.id}, std::pair{"pipeline", &choice_.pipeline}}) {
    if (value->empty()) continue;
    fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
    append_text_as_json(*value, out);
  }
  out += "}}\n";
  append_json(event, out);
  out += '\n';
  into.add(begin, 0);
}

void BulkPacker::add_to_stream(const Document& event, std::string& out) {
  const BulkDataStream& stream = *actions_.stream;
  const std::string_view type = part_of(event, stream, "type", stream.type),
                         dataset = part_of(event, stream, "dataset", stream.dataset),
                         name_space = part_of(event, stream, "namespace", stream.name_space);
  out += R"({"create":{"_index":)";
  append_text_as_json(fmt::format("{}-{}-{}", type, dataset, name_space), out);
  out += "}}\n";
  if (!stream.sync_fields) {
    append_json(event, out);
    out += '\n';
    return;
  }
  // The events belong to other outputs too: what is added here is added to the text only.
  out += '{';
  for (const event::Member& one : event.root().members()) {
    if (one.name == event::kMetadataField || one.name == kStream) continue;
    append_text_as_json(one.name, out);
    out += ':';
    append_json(one.value, out);
    out += ',';
  }
  out += R"("data_stream":{"type":)";
  append_text_as_json(type, out);
  out += R"(,"dataset":)";
  append_text_as_json(dataset, out);
  out += R"(,"namespace":)";
  append_text_as_json(name_space, out);
  out += "}}\n";
}

}  // namespace enclave::pipeline
