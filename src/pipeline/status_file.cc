#include <simdjson.h>

#include "base/time.h"
#include "event/record.h"
#include "pipeline/runtime.h"

namespace enclave::pipeline {
namespace {

using event::json_text;

/// One table for both ways: numbers of the status by name.
struct Number {
  std::string_view name;
  std::uint64_t EngineStatus::*field;
};
constexpr Number kNumbers[] = {{"records_read", &EngineStatus::records_read},
                               {"bytes_read", &EngineStatus::bytes_read},
                               {"records_committed", &EngineStatus::records_committed},
                               {"last_seq", &EngineStatus::last_seq},
                               {"last_sealed_seq", &EngineStatus::last_sealed_seq},
                               {"leaves", &EngineStatus::leaves},
                               {"objects_waiting", &EngineStatus::objects_waiting},
                               {"published_leaves", &EngineStatus::published_leaves},
                               {"spool_bytes", &EngineStatus::spool_bytes},
                               {"outbox_bytes", &EngineStatus::outbox_bytes},
                               {"spool_bytes_max", &EngineStatus::spool_bytes_max},
                               {"lost", &EngineStatus::lost}};
struct Moment {
  std::string_view name;
  std::int64_t EngineStatus::*field;
};
constexpr Moment kMoments[] = {{"oldest_unsealed", &EngineStatus::oldest_unsealed_wall_ns},
                               {"oldest_unsent", &EngineStatus::oldest_unsent_wall_ns},
                               {"last_sealed", &EngineStatus::last_sealed_wall_ns},
                               {"last_sent", &EngineStatus::last_sent_wall_ns}};
struct Texts {
  std::string_view name;
  std::vector<std::string> EngineStatus::*field;
};
constexpr Texts kTexts[] = {{"troubles", &EngineStatus::troubles}, {"notices", &EngineStatus::notices}};

std::string moment_json(std::int64_t wall_ns) { return wall_ns == 0 ? "null" : json_text(format_time(wall_ns)); }

Result<std::int64_t> moment_of(simdjson::dom::element element) {
  if (element.is_null()) return std::int64_t{0};
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return Error{Fault::corrupt, "status: a time is no text"};
  return parse_time(text);
}

}  // namespace

std::string format_status(const EngineStatus& status, std::int64_t wall_ns) {
  std::string out =
      fmt::format(R"({{"written":{},"origin":{},"trust_anchor":{},"reading_stopped":{})", moment_json(wall_ns),
                  json_text(status.origin), json_text(status.trust_anchor), status.reading_stopped);
  for (const auto& [name, field] : kNumbers) out += fmt::format(R"(,"{}":{})", name, status.*field);
  for (const auto& [name, field] : kMoments) out += fmt::format(R"(,"{}":{})", name, moment_json(status.*field));
  for (const auto& [name, field] : kTexts) {
    out += fmt::format(R"(,"{}":[)", name);
    for (const auto& text : status.*field) out += (out.back() == '[' ? "" : ",") + json_text(text);
    out += "]";
  }
  out += R"(,"counters":{)";
  for (const auto& [name, value] : status.counters)
    out += fmt::format("{}{}:{}", out.back() == '{' ? "" : ",", json_text(name), value);
  return out + "}}\n";
}

Result<StatusFile> parse_status(std::string_view json) {
  constexpr std::size_t kBytesMax = 16 * 1024 * 1024;
  if (json.size() > kBytesMax) return Error{Fault::limit, "status of {} bytes", json.size()};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return Error{Fault::corrupt, "status: not a JSON object"};
  StatusFile file;
  const auto member = [&](std::string_view name) -> Result<simdjson::dom::element> {
    simdjson::dom::element found;
    if (root[name].get(found) != simdjson::SUCCESS) return Error{Fault::corrupt, "status: \"{}\" is missing", name};
    return found;
  };
  const auto text = [&](std::string_view name) -> Result<std::string> {
    std::string_view found;
    if (TRY(member(name)).get_string().get(found) != simdjson::SUCCESS)
      return Error{Fault::corrupt, "status: \"{}\" is no text", name};
    return std::string(found);
  };
  file.wall_ns = TRY(moment_of(TRY(member("written"))));
  file.status.origin = TRY(text("origin"));
  file.status.trust_anchor = TRY(text("trust_anchor"));
  const auto expect = [](simdjson::error_code code, std::string_view name) -> Result<void> {
    if (code == simdjson::SUCCESS) return {};
    return Error{Fault::corrupt, "status: \"{}\" has the wrong type", name};
  };
  TRY(expect(TRY(member("reading_stopped")).get_bool().get(file.status.reading_stopped), "reading_stopped"));
  for (const auto& [name, field] : kNumbers) TRY(expect(TRY(member(name)).get_uint64().get(file.status.*field), name));
  for (const auto& [name, field] : kMoments) file.status.*field = TRY(moment_of(TRY(member(name))));
  for (const auto& [name, field] : kTexts) {
    simdjson::dom::array items;
    if (TRY(member(name)).get_array().get(items) != simdjson::SUCCESS) continue;
    for (const auto item : items) {
      std::string_view one;
      if (item.get_string().get(one) == simdjson::SUCCESS) (file.status.*field).emplace_back(one);
    }
  }
  simdjson::dom::object counters;
  if (TRY(member("counters")).get_object().get(counters) == simdjson::SUCCESS)
    for (const auto counter : counters) {
      std::int64_t value = 0;
      if (counter.value.get_int64().get(value) == simdjson::SUCCESS)
        file.status.counters[std::string(counter.key)] = value;
    }
  return file;
}

}  // namespace enclave::pipeline
