#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/ports.h"
#include "pipeline/filebeat/options.h"
#include "pipeline/filebeat/processors.h"
#include "pipeline/filebeat/variables.h"

/// filebeat.yml of the generations 6, 7 and 8, as it stands. docs/FILEBEAT.md tells what is read.
namespace enclave::pipeline::filebeat {

inline constexpr std::size_t kInputsMax = 1'000;
inline constexpr std::size_t kInputFilesMax = 1'000;

struct Input {
  std::string type = "log";  ///< log, filestream, container, docker, stdin, syslog, tcp, udp, unix, journald
  std::string id;
  bool enabled = true;
  Place place;
  Node node;  ///< as it stands, dotted keys nested: what the file says and where
  Strings tags;
  Value fields;  ///< a map, or null
  bool fields_under_root = false, keep_null = false;
  std::string pipeline, index;
  std::vector<Processor> processors;
  LogOptions log;              ///< of log, stdin, docker and container
  ContainerOptions container;  ///< of docker and container
  FilestreamOptions filestream;
  NetworkOptions network;
  JournaldOptions journald;

  bool is_log() const { return type == "log" || type == "stdin" || type == "docker" || type == "container"; }
  bool is_network() const { return type == "tcp" || type == "udp" || type == "unix" || type == "syslog"; }
  const Strings& paths() const { return type == "filestream" ? filestream.paths : log.paths; }
};

/// Files that hold lists of further inputs.
struct InputFiles {
  std::string path;  ///< a glob, or a folder (`config_dir`); empty: none
  Place place;
  bool enabled = true, is_folder = false, reload = false;
  Nanoseconds period = 10s;
};

struct Config {
  int generation = kNewest;
  std::string generation_reason;  ///< "asked for", or the key that tells
  std::vector<Input> inputs;      ///< those that are not enabled too
  InputFiles input_files, input_folder;
  std::string output;  ///< logstash, elasticsearch, file, console; "": none that is enabled
  Place output_place;
  LogstashOutput logstash;
  ElasticsearchOutput elasticsearch;
  std::vector<ChoiceRule> index_rules, pipeline_rules;  ///< what `indices` and `pipelines` of it say
  FileOutput file;
  ConsoleOutput console;
  std::string name;
  Strings tags;
  Value fields;
  bool fields_under_root = false;
  std::vector<Processor> processors;
  Registry registry;
  Queue queue;
  Logging logging;
  Http http;
  Nanoseconds shutdown_timeout{0};
};

struct ReadOptions {
  std::optional<int> compat;  ///< 6, 7 or 8; none: guessed from the keys that the file uses
  Lookup variables;
};

/// Reads one file. Unknown keys are warnings, wrong values of known keys errors, each with its place; all of them are
/// told, in the order of the file. With an error the result is not to be used.
Config parse_filebeat(std::string_view text, const std::string& file, const ReadOptions& options,
                      Diagnostics& diagnostics);

/// Reads the file and those that its `filebeat.config.inputs` and `config_dir` name (a relative one beside the file),
/// and lints it as lint_file() does. What cannot be read is an error in the diagnostics.
Config load_filebeat(Files& files, const std::string& path, const ReadOptions& options, Diagnostics& diagnostics);

/// What only the bytes and the mode tell: CR LF line ends, and secrets in clear text in a file that everybody can read.
void lint_file(std::string_view text, const std::string& file, bool world_readable, Diagnostics& diagnostics);

/// JSON of what was read. `all`: with what stands at its default.
std::string to_json(const Config& config, bool all);

/// An input as `logging.inputs` of enclave.yaml would hold it. What ours does not have is a warning with its place, and
/// nothing is left out in silence; a null node when ours has no input of this kind. Options that change nothing here,
/// such as when a file is closed, are left out without a word when they are at their default.
Node to_enclave_input(const Input& input, Diagnostics& diagnostics);

}  // namespace enclave::pipeline::filebeat
