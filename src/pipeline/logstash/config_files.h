#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/ports.h"
#include "base/time.h"
#include "pipeline/logstash/ast.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/variables.h"

/// The files around the language: logstash.yml, pipelines.yml, and folders of *.conf.
namespace enclave::pipeline::logstash {

/// What logstash.yml sets for all pipelines and pipelines.yml for one.
struct PipelineSettings {
  std::string id = "main";
  std::string config_path;    ///< path.config: a file, a folder or a glob
  std::string config_string;  ///< config.string: the configuration itself
  std::uint64_t workers = 0;  ///< pipeline.workers; 0: as many as there are processors
  std::uint64_t batch_size = 125;
  Nanoseconds batch_delay{50'000'000};
  std::string ordered = "auto";          ///< auto, true, false
  std::string ecs_compatibility = "v8";  ///< disabled, v1, v8
  bool support_escapes = false;
  std::string escape_style = "none";  ///< of field references: none, percent, ampersand
  bool reload = false;
  bool reloadable = true;
  Nanoseconds reload_interval{3'000'000'000};
  std::string queue_type = "memory";  ///< memory, persisted
  ByteCount queue_bytes_max = 1024_MiB;
  bool dead_letters = false;
  ByteCount dead_letter_bytes_max = 1024_MiB;
  std::string dead_letter_path;
  bool enabled = true;
};

struct Settings {
  PipelineSettings defaults;
  std::string data_path, logs_path, log_level = "info", node_name;
  std::string api_host = "127.0.0.1", api_port = "9600-9700";
  bool api_enabled = true;
  bool api_named = false;  ///< the file says something of these three
};

inline constexpr std::size_t kPipelinesMax = 1000;
inline constexpr std::size_t kConfigFilesMax = 1000;

/// Reads logstash.yml: nested, dotted or mixed keys. Keys of Logstash that change nothing here are warnings that say
/// so, unknown ones are warnings with the nearest known one; a value of the wrong kind is an error.
Settings parse_settings(std::string_view text, const std::string& file, const Variables& variables,
                        Diagnostics& diagnostics);

/// Reads pipelines.yml: a list of pipelines, each with its own values over `defaults`. Two of one id are an error, so
/// is one with neither or both of path.config and config.string.
std::vector<PipelineSettings> parse_pipelines(std::string_view text, const std::string& file,
                                              const PipelineSettings& defaults, const Variables& variables,
                                              Diagnostics& diagnostics);

/// The files that path.config names, in the order of their names: all of a folder, all that a glob matches, or one
/// file. Names that begin with "." or end in "~" are left out. Fault::absent when there is none.
Result<std::vector<std::string>> config_files_of(Files& files, const std::string& path);

/// Reads all files of a pipeline as one configuration, replaces variables, and adds mistakes to the diagnostics. Where
/// a file cannot be read, its error stands there too.
Configuration load_pipeline(Files& files, const PipelineSettings& settings, const Variables& variables,
                            Diagnostics& diagnostics);

}  // namespace enclave::pipeline::logstash
