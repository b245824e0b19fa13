#include <algorithm>

#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

/// Filebeat has them; we have not.
constexpr std::string_view kOtherTypes[] = {"aws-cloudwatch",
                                            "aws-s3",
                                            "azure-blob-storage",
                                            "azure-eventhub",
                                            "benchmark",
                                            "cel",
                                            "cloudfoundry",
                                            "entity-analytics",
                                            "etw",
                                            "gcp-pubsub",
                                            "gcs",
                                            "http_endpoint",
                                            "httpjson",
                                            "kafka",
                                            "lumberjack",
                                            "mqtt",
                                            "netflow",
                                            "o365audit",
                                            "redis",
                                            "salesforce",
                                            "streaming",
                                            "unifiedlogs",
                                            "websocket",
                                            "winlog"};
constexpr std::string_view kParsers[] = {"multiline", "ndjson", "container", "syslog", "include_message"};
/// Global settings that are met inside inputs, and where they belong.
constexpr std::pair<std::string_view, std::string_view> kMisplaced[] = {
    {"registry_file", "filebeat.registry_file"},
    {"registry", "filebeat.registry"},
    {"registry_flush", "filebeat.registry_flush"},
    {"spool_size", "filebeat.spool_size"},
    {"idle_timeout", "filebeat.idle_timeout"},
    {"config_dir", "filebeat.config_dir"},
    {"shutdown_timeout", "filebeat.shutdown_timeout"},
    {"output", "output"},
    {"logging", "logging"},
    {"queue", "queue"},
    {"name", "name"},
    {"max_procs", "max_procs"},
    {"prospectors", "filebeat.prospectors"},
    {"inputs", "filebeat.inputs"}};

bool report_misplaced(Reader& reader, const Node::Member& member, const std::string& name) {
  for (const auto& [key, place] : kMisplaced) {
    if (name != key) continue;
    const std::string mend = place == key ? "at the top of the file, without indentation"
                                          : fmt::format("outside of the list of inputs, as {}", place);
    reader.diagnostics().warning(member.place,
                                 fmt::format("{} has no effect inside an input; it belongs {}", name, mend));
    return true;
  }
  return false;
}

std::string type_of(Reader& reader, const Node& node) {
  for (const std::string key : {"type", "input_type"})
    if (const Node* found = node.find(key))
      if (auto text = reader.scalar(*found, key)) return *text;
  return "log";
}

bool is_type(Reader& reader, const Node& node, const std::string& type) {
  if (std::find(std::begin(kInputTypes), std::end(kInputTypes), type) != std::end(kInputTypes)) return true;
  const Place place = place_of(node, node.find("type") != nullptr ? "type" : "input_type");
  const std::string near = nearest(type, kInputTypes);
  const bool theirs = std::find(std::begin(kOtherTypes), std::end(kOtherTypes), type) != std::end(kOtherTypes);
  reader.diagnostics().error(place, theirs ? fmt::format("the input {} is not offered here", type)
                                           : fmt::format("{} is no type of input{}", type,
                                                         near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  return false;
}

void find_protocol(Reader& reader, const Node& node, Input& input) {
  const Node* found = node.find("protocol");
  if (found == nullptr || found->kind != Node::Kind::map || found->members.size() != 1) {
    reader.diagnostics().error(place_of(node, "protocol"),
                               "a syslog input needs one protocol: protocol.udp or protocol.tcp, with a host");
    return;
  }
  const std::string& name = found->members[0].key;
  if (name != "tcp" && name != "udp" && name != "unix") {
    reader.diagnostics().error(
        found->members[0].place,
        fmt::format("protocol.{}: there are protocol.tcp, protocol.udp and protocol.unix", name));
    return;
  }
  input.network.protocol = name;
  if (name == "udp") input.network.max_message_size = 10_KiB;
}

Rule type_rule(const std::string& type) {
  if (type == "filestream" || type == "container" || type == "unix" || type == "journald") return {.first = 7};
  if (type == "docker") return {.last = 7, .instead = "container"};
  return {};
}

}  // namespace

std::vector<Parser> read_parsers(Reader& reader, const Node& node) {
  std::vector<Parser> out;
  if (node.kind == Node::Kind::null) return out;
  if (node.kind != Node::Kind::list) {
    reader.diagnostics().error(node.place, "parsers: a list is wanted, such as - ndjson: {}");
    return out;
  }
  for (const auto& item : node.items) {
    if (item.kind != Node::Kind::map || item.members.size() != 1) {
      reader.diagnostics().error(
          item.place, "a parser is wanted: its name, a colon, and its options indented deeper than the name");
      continue;
    }
    const auto& member = item.members[0];
    Parser parser;
    parser.kind = member.key;
    parser.place = member.place;
    if (std::find(std::begin(kParsers), std::end(kParsers), member.key) == std::end(kParsers)) {
      const std::string near = nearest(member.key, kParsers);
      reader.diagnostics().error(member.place, fmt::format("{} is no parser; {}", member.key,
                                                           near.empty() ? "there are multiline, ndjson, container, "
                                                                          "syslog and include_message"
                                                                        : fmt::format("did you mean {}?", near)));
      continue;
    }
    reader.walk(member.value, "the parser " + member.key, slots_of(parser));
    out.push_back(std::move(parser));
  }
  return out;
}

void read_input(Reader& reader, const Node& node, std::vector<Input>& into) {
  if (node.kind == Node::Kind::null) return;
  if (node.kind != Node::Kind::map) {
    reader.diagnostics().error(node.place, "an input is wanted: - type: log, and its settings below");
    return;
  }
  const std::string type = type_of(reader, node);
  if (!is_type(reader, node, type)) return;
  Input input = default_input(type, reader.generation());
  input.place = node.place;
  input.node = node;
  if (type == "syslog") find_protocol(reader, node, input);
  const auto ignore = [](const Node::Member&, const std::string&) {};
  Handlers handlers = {{"type", ignore, type_rule(type)},
                       {"input_type", ignore, {.last = 6, .instead = "type"}},
                       {"publisher_pipeline", ignore, {.first = 7}},
                       {"processors", [&](const Node::Member& member, const std::string& name) {
                          input.processors = read_processors(reader, member.value, name);
                        }}};
  std::vector<Parser>* parsers = type == "filestream" ? &input.filestream.parsers
                                 : type == "journald" ? &input.journald.parsers
                                                      : nullptr;
  if (parsers != nullptr)
    handlers.push_back({"parsers", [&reader, parsers](const Node::Member& member, const std::string&) {
                          *parsers = read_parsers(reader, member.value);
                        }});
  reader.walk(node, fmt::format("a {} input", type), slots_of(input), handlers,
              [&](const Node::Member& member, const std::string& name) {
                return report_misplaced(reader, member, name) || (type == "syslog" && member.key == "protocol");
              });
  const Node* multiline = node.find("multiline");
  input.log.has_multiline = multiline != nullptr && multiline->kind == Node::Kind::map;
  const Node* json = node.find("json");
  input.log.has_json = json != nullptr && json->kind == Node::Kind::map;
  into.push_back(std::move(input));
}

void read_inputs(Reader& reader, const Node& node, const std::string& name, std::vector<Input>& into) {
  if (node.kind == Node::Kind::null) return;
  if (node.kind == Node::Kind::map) {
    read_input(reader, node, into);
    return;
  }
  if (node.kind != Node::Kind::list || into.size() + node.items.size() > kInputsMax) {
    reader.diagnostics().error(node.place,
                               fmt::format("{}: a list of at most {} inputs is wanted: - type: log", name, kInputsMax));
    return;
  }
  for (const auto& item : node.items) read_input(reader, item, into);
}

}  // namespace enclave::pipeline::filebeat
