#include "cli/logstash_pipelines.h"

#include <algorithm>

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

void note_file(const logstash::Value& value, Files& files) {
  if (const auto* array = std::get_if<logstash::Array>(&value.data)) {
    for (const auto& item : array->items) note_file(item, files);
  } else if (const std::string* text = logstash::text_of(value); text != nullptr && text->starts_with('/')) {
    (void)files.info(*text);
  }
}

/// Certificates and keys are read where connections are made, and renewed without a change of the configuration.
void note_certificates(const std::vector<logstash::Item>& items, Files& files) {
  for (const auto& item : items) {
    if (const auto* branch = std::get_if<logstash::Branch>(&item)) {
      for (const auto& arm : branch->arms) note_certificates(arm.items, files);
      continue;
    }
    for (const auto& attribute : std::get<logstash::Plugin>(item).attributes) {
      const std::string_view name = attribute.name;
      constexpr std::string_view kNames[] = {"ssl", "cert", "key"};
      if (std::ranges::any_of(kNames, [&](std::string_view part) { return name.find(part) != std::string_view::npos; }))
        note_file(attribute.value, files);
    }
  }
}

/// What changes what a pipeline does; how often files are looked at does not.
std::string words_of(const logstash::PipelineSettings& of) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", of.workers, of.batch_size, of.batch_delay.count(), of.ordered,
                     of.ecs_compatibility, of.support_escapes, of.escape_style, of.reloadable, of.config_string);
}

}  // namespace

std::vector<pipeline::LogstashPipeline> read_pipelines(const std::string& path, Shell& shell, Diagnostics& diagnostics,
                                                       SeenFiles* seen, std::vector<Basis>* bases,
                                                       logstash::Settings* program) {
  Files& files = shell.world.files;
  logstash::Variables variables = logstash_variables(path, shell, diagnostics);
  if (seen != nullptr)
    variables.keystore = [seen, find = std::move(variables.keystore)](std::string_view name) {
      return seen->variable(name, find);
    };
  const bool is_list = name_in(path) == kPipelinesName;
  const std::string folder = is_list ? parent_of(path) : path;
  std::optional<std::string> settings_text, list_text;
  if (is_list || is_directory(files, folder)) {
    settings_text = text_of(files, join_path(folder, kSettingsName), diagnostics);
    list_text = text_of(files, join_path(folder, kPipelinesName), diagnostics);
  }
  logstash::Settings settings;
  if (settings_text)
    settings = logstash::parse_settings(*settings_text, join_path(folder, kSettingsName), variables, diagnostics);
  if (program != nullptr) *program = settings;
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
    Basis basis;
    if (seen != nullptr) {
      basis.emplace("its settings", words_of(each));
      seen->credit(&basis);
    }
    auto configuration = logstash::load_pipeline(files, each, variables, diagnostics);
    if (seen != nullptr) {
      for (const auto* section : {&configuration.inputs, &configuration.outputs}) note_certificates(*section, files);
      seen->credit(nullptr);
      bases->push_back(std::move(basis));
    }
    pipelines.push_back({std::move(each), std::move(configuration)});
  }
  return pipelines;
}

}  // namespace enclave::cli
