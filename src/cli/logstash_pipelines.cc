#include "cli/logstash_pipelines.h"

#include "base/files.h"
#include "cli/keystores.h"
#include "pipeline/logstash/config_files.h"

namespace enclave::cli {

namespace logstash = pipeline::logstash;

namespace {

constexpr std::uint64_t kSettingsBytesMax = 16 << 20;
constexpr std::string_view kPipelinesName = "pipelines.yml", kSettingsName = "logstash.yml";

/// None: it is not there, or could not be read, which then stands in the diagnostics.
std::optional<std::string> text_of(Files& files, const std::string& path, Diagnostics& diagnostics) {
  auto text = read_file(files, path, kSettingsBytesMax);
  if (text) return std::move(*text);
  if (text.error().fault() != Fault::absent) diagnostics.error({path, 0, 0}, text.error().text());
  return std::nullopt;
}

bool is_directory(Files& files, const std::string& path) {
  const auto info = files.info(path);
  return info && info->kind == FileKind::directory;
}

}  // namespace

std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell,
                                                       Diagnostics& diagnostics) {
  logstash::Settings settings;
  return read_pipelines(path, shell, diagnostics, settings);
}

std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell, Diagnostics& diagnostics,
                                                       logstash::Settings& settings) {
  Files& files = shell.world.files;
  const logstash::Variables variables = logstash_variables(path, shell, diagnostics);
  const bool is_list = name_in(path) == kPipelinesName;
  const std::string folder = is_list ? parent_of(path) : path;
  std::optional<std::string> settings_text, list_text;
  if (is_list || is_directory(files, folder)) {
    settings_text = text_of(files, join_path(folder, kSettingsName), diagnostics);
    list_text = text_of(files, join_path(folder, kPipelinesName), diagnostics);
  }
  if (settings_text)
    settings = logstash::parse_settings(*settings_text, join_path(folder, kSettingsName), variables, diagnostics);
  std::vector<logstash::PipelineSettings> wanted;
  if (list_text) {
    wanted = logstash::parse_pipelines(*list_text, join_path(folder, kPipelinesName), settings.defaults, variables,
                                       diagnostics);
  } else {
    wanted.push_back(settings.defaults);
    if (!settings_text || (wanted[0].config_path.empty() && wanted[0].config_string.empty()))
      wanted[0].config_path = path;
  }
  std::vector<pipeline::LogstashPipeline> pipelines;
  for (auto& each : wanted) {
    if (!each.enabled) continue;
    auto configuration = logstash::load_pipeline(files, each, variables, diagnostics);
    pipelines.push_back({std::move(each), std::move(configuration)});
  }
  return pipelines;
}

}  // namespace enclave::cli
