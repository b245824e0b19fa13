#pragma once

#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filebeat/reader.h"

/// The tables: what each section may say. For the .cc files of this folder.
namespace enclave::pipeline::filebeat {

inline constexpr std::string_view kInputTypes[] = {"log",    "filestream", "container", "docker", "stdin",
                                                   "syslog", "tcp",        "udp",       "unix",   "journald"};
inline constexpr std::string_view kOutputs[] = {"logstash", "elasticsearch", "file", "console"};

/// An input with the defaults of its type.
Input default_input(const std::string& type, int generation);
/// Everything else with the defaults of a generation.
Config default_config(int generation);

Slots slots_of(Input& input);
Slots slots_of(Parser& parser);
Slots slots_of(Multiline& multiline);
/// Of the output that is called `kind`.
Slots output_slots(Config& config, std::string_view kind);
/// What stands outside of `filebeat` and of the outputs.
Slots general_slots(Config& config);
/// What stands below `filebeat`, with that before its names.
Slots filebeat_slots(Config& config);

/// Reads the parsers of filestream and journald.
std::vector<Parser> read_parsers(Reader& reader, const Node& node);
/// One item of a list of inputs.
void read_input(Reader& reader, const Node& node, std::vector<Input>& into);
void read_inputs(Reader& reader, const Node& node, const std::string& name, std::vector<Input>& into);

/// What no single setting tells: settings that contradict each other, or lack one.
void check(const Config& config, Diagnostics& diagnostics);
/// The same for the inputs from number `first` on, against each other and those before them.
void check_inputs(const std::vector<Input>& inputs, std::size_t first, Diagnostics& diagnostics);

}  // namespace enclave::pipeline::filebeat
