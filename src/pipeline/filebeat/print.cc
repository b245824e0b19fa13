#include <set>

#include "pipeline/filebeat/tables.h"

namespace enclave::pipeline::filebeat {
namespace {

/// The slots of `now`, without those that equal `before` unless all are wanted. Two names of one member are one.
std::string differences(const Slots& now, const Slots& before, bool all) {
  std::string out;
  std::set<Target> seen;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const std::string text = show(now[i].target);
    if (!all && text == show(before[i].target)) continue;
    if (!seen.insert(now[i].target).second) continue;
    out += fmt::format(", {}: {}", json_text(now[i].name), text);
  }
  return out;
}

std::string list_of(const std::vector<Processor>& processors) {
  std::string out;
  for (const auto& one : processors) out += (out.empty() ? "" : ", ") + to_json(one);
  return "[" + out + "]";
}

std::string json_of(const Input& input, int generation, bool all) {
  Input now = input, before = default_input(input.type, generation);
  before.network.protocol = input.network.protocol;
  if (input.type == "syslog" && input.network.protocol == "udp") before.network.max_message_size = 10_KiB;
  std::string out = fmt::format("{{\"type\": {}", json_text(input.type));
  out += differences(slots_of(now), slots_of(before), all);
  auto parsers = input.type == "journald" ? input.journald.parsers : input.filestream.parsers;
  std::string texts;
  for (auto& parser : parsers) {
    Parser plain;
    plain.kind = parser.kind;
    const std::string options = differences(slots_of(parser), slots_of(plain), all);
    texts += fmt::format("{}{{{}: {{{}}}}}", texts.empty() ? "" : ", ", json_text(parser.kind),
                         options.empty() ? "" : options.substr(2));
  }
  if (!texts.empty()) out += ", \"parsers\": [" + texts + "]";
  if (!input.processors.empty()) out += ", \"processors\": " + list_of(input.processors);
  return out + "}";
}

std::string json_of(const InputFiles& files) {
  return fmt::format("{{\"path\": {}, \"enabled\": {}, \"reload\": {}}}", json_text(files.path), files.enabled,
                     files.reload);
}

}  // namespace

std::string to_json(const Config& config, bool all) {
  Config now = config, before = default_config(config.generation);
  std::string out =
      fmt::format("{{\"generation\": {}, \"because\": {}", config.generation, json_text(config.generation_reason));
  out += ",\n \"inputs\": [";
  for (std::size_t i = 0; i < config.inputs.size(); ++i)
    out += (i == 0 ? "\n  " : ",\n  ") + json_of(config.inputs[i], config.generation, all);
  out += "]";
  if (!config.input_files.path.empty()) out += ",\n \"input_files\": " + json_of(config.input_files);
  if (!config.input_folder.path.empty()) out += ",\n \"input_folder\": " + json_of(config.input_folder);
  if (!config.output.empty()) {
    const std::string options = differences(output_slots(now, config.output), output_slots(before, config.output), all);
    out += fmt::format(",\n \"output\": {{\"type\": {}{}}}", json_text(config.output), options);
  }
  if (!config.processors.empty()) out += ",\n \"processors\": " + list_of(config.processors);
  const std::string general = differences(general_slots(now), general_slots(before), all) +
                              differences(filebeat_slots(now), filebeat_slots(before), all);
  if (!general.empty()) out += ",\n " + general.substr(2);
  return out + "}\n";
}

}  // namespace enclave::pipeline::filebeat
