#include "pipeline/flow/flow_file.h"

#include <simdjson.h>

#include "base/time.h"
#include "event/json.h"
#include "event/record.h"

namespace enclave::pipeline {
namespace {

using event::json_text;
using simdjson::dom::element;

constexpr std::size_t kBytesMax = 16 << 20;

/// One table for both ways: the numbers of a part by name.
template <class Part, class Value = std::uint64_t>
struct Number {
  std::string_view name;
  Value Part::*field;
};
using In = FlowStatus::In;
using Out = FlowStatus::Out;
using logstash::FilterCount;
constexpr Number<FlowStatus> kFlow[] = {{"events_in", &FlowStatus::events_in},
                                        {"bytes_in", &FlowStatus::bytes_in},
                                        {"events_made", &FlowStatus::events_made},
                                        {"events_dropped", &FlowStatus::events_dropped},
                                        {"events_unrouted", &FlowStatus::events_unrouted},
                                        {"events_out", &FlowStatus::events_out},
                                        {"letters_returned", &FlowStatus::letters_returned},
                                        {"batches_waiting", &FlowStatus::batches_waiting},
                                        {"workers", &FlowStatus::workers},
                                        {"dead_letters", &FlowStatus::dead_letters},
                                        {"dead_letters_lost", &FlowStatus::dead_letters_lost},
                                        {"dead_letter_bytes", &FlowStatus::dead_letter_bytes},
                                        {"reloads", &FlowStatus::reloads},
                                        {"reloads_refused", &FlowStatus::reloads_refused}};
constexpr Number<In> kIn[] = {{"readings", &In::readings}, {"bytes", &In::bytes}, {"events", &In::events}};
constexpr Number<Out> kOut[] = {{"events", &Out::events},
                                {"bytes", &Out::bytes},
                                {"delivered", &Out::delivered},
                                {"waiting", &Out::waiting},
                                {"dead_letters", &Out::dead_letters},
                                {"dead_letters_lost", &Out::dead_letters_lost}};
constexpr Number<FilterCount> kFilter[] = {{"in", &FilterCount::in},
                                           {"succeeded", &FilterCount::succeeded},
                                           {"dropped", &FilterCount::dropped},
                                           {"made", &FilterCount::made}};

template <class Part>
std::string numbers_json(const Part& part, std::span<const Number<Part>> numbers) {
  std::string out;
  for (const auto& [name, field] : numbers) out += fmt::format(R"(,"{}":{})", name, part.*field);
  return out;
}

std::string counters_json(const std::map<std::string, std::int64_t>& counters) {
  std::string out = R"(,"counters":{)";
  for (const auto& [name, value] : counters)
    out += fmt::format("{}{}:{}", out.back() == '{' ? "" : ",", json_text(name), value);
  return out + "}";
}

template <class Part>
std::string plugin_json(const Part& part, std::span<const Number<Part>> numbers) {
  return fmt::format(R"({{"id":{}{},"busy_ns":{}{}}})", json_text(part.id), numbers_json(part, numbers), part.busy_ns,
                     counters_json(part.counters));
}

std::string flow_json(const FlowStatus& flow) {
  std::string out = fmt::format(R"({{"id":{},"started":{}{})", json_text(flow.id),
                                json_text(format_time(flow.started_wall_ns)), numbers_json<FlowStatus>(flow, kFlow));
  out += R"(,"sources":)";
  out += event::json_array(flow.sources, [](const In& each) { return plugin_json<In>(each, kIn); });
  out += R"(,"filters":)";
  out += event::json_array(flow.filters, [](const FilterCount& each) {
    return fmt::format(R"({{"id":{},"reason":{}{},"busy_ns":{}}})", json_text(each.name), json_text(each.reason),
                       numbers_json<FilterCount>(each, kFilter), each.busy_ns);
  });
  out += R"(,"outputs":)";
  out += event::json_array(flow.outputs, [](const Out& each) { return plugin_json<Out>(each, kOut); });
  out += counters_json(flow.counters);
  out += R"(,"troubles":)";
  return out + event::json_array(flow.troubles, [](const std::string& each) { return json_text(each); }) + "}";
}

std::string text_of(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

/// What is not there, or no number, leaves `into` as it is.
template <class Value>
void read_number(const element& object, std::string_view name, Value& into) {
  if (Value value = 0; object[name].get<Value>().get(value) == simdjson::SUCCESS) into = value;
}

template <class Part>
void read_numbers(const element& object, std::span<const Number<Part>> numbers, Part& into) {
  for (const auto& [name, field] : numbers) read_number(object, name, into.*field);
}

void read_counters(const element& object, std::map<std::string, std::int64_t>& into) {
  simdjson::dom::object counters;
  if (object["counters"].get_object().get(counters) != simdjson::SUCCESS) return;
  for (const auto counter : counters)
    if (std::int64_t value = 0; counter.value.get_int64().get(value) == simdjson::SUCCESS)
      into[std::string(counter.key)] = value;
}

/// Calls `each` with every object of the array `name`.
template <class Each>
void for_all(const element& object, std::string_view name, Each each) {
  simdjson::dom::array items;
  if (object[name].get_array().get(items) != simdjson::SUCCESS) return;
  for (const auto item : items)
    if (item.is_object()) each(item);
}

template <class Part>
void read_plugin(const element& item, std::span<const Number<Part>> numbers, std::vector<Part>& into) {
  Part& part = into.emplace_back();
  part.id = text_of(item, "id");
  read_numbers<Part>(item, numbers, part);
  read_number(item, "busy_ns", part.busy_ns);
  read_counters(item, part.counters);
}

FlowStatus flow_of(const element& object) {
  FlowStatus flow;
  flow.id = text_of(object, "id");
  if (const auto started = parse_time(text_of(object, "started"))) flow.started_wall_ns = *started;
  read_numbers<FlowStatus>(object, kFlow, flow);
  for_all(object, "sources", [&](const element& item) { read_plugin<In>(item, kIn, flow.sources); });
  for_all(object, "outputs", [&](const element& item) { read_plugin<Out>(item, kOut, flow.outputs); });
  for_all(object, "filters", [&](const element& item) {
    FilterCount& filter = flow.filters.emplace_back();
    filter.name = text_of(item, "id");
    filter.reason = text_of(item, "reason");
    read_numbers<FilterCount>(item, kFilter, filter);
    read_number(item, "busy_ns", filter.busy_ns);
  });
  read_counters(object, flow.counters);
  simdjson::dom::array troubles;
  if (object["troubles"].get_array().get(troubles) == simdjson::SUCCESS)
    for (const auto item : troubles)
      if (std::string_view text; item.get_string().get(text) == simdjson::SUCCESS) flow.troubles.emplace_back(text);
  return flow;
}

}  // namespace

std::string format_flows(std::span<const FlowStatus> flows, std::int64_t wall_ns) {
  return fmt::format(R"({{"as_of":{},"flows":{}}})", json_text(format_time(wall_ns)),
                     event::json_array(flows, flow_json)) +
         "\n";
}

Result<FlowsFile> parse_flows(std::string_view json) {
  if (json.size() > kBytesMax) return Error{Fault::limit, "flows of {} bytes", json.size()};
  simdjson::dom::parser parser;
  element root;
  if (json.empty()) return Error{Fault::corrupt, "flows: the file is empty"};
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return Error{Fault::corrupt, "flows: not a JSON object"};
  FlowsFile file;
  file.wall_ns = TRY(parse_time(text_of(root, "as_of")));
  for_all(root, "flows", [&](const element& item) { file.flows.push_back(flow_of(item)); });
  return file;
}

}  // namespace enclave::pipeline
