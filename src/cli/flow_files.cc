#include "cli/flow_files.h"

#include "base/files.h"
#include "pipeline/logstash/config_files.h"

namespace enclave::cli {

namespace logstash = pipeline::logstash;

namespace {

constexpr std::uint64_t kSettingsBytesMax = 16 << 20;
constexpr std::string_view kPipelinesName = "pipelines.yml", kSettingsName = "logstash.yml";

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

FlowFiles::FlowFiles(Shell& shell) : shell_(shell), zones_(shell.world.files), lookup_(zones_.lookup()) {}

std::vector<FlowFiles::Planned> FlowFiles::plan(const FlowRequest& request, const std::string& /*host*/,
                                                Diagnostics& diagnostics) {
  std::vector<Planned> planned;
  if (!request.filters.empty()) plan_logstash(request.filters, true, planned, diagnostics);
  if (!request.logstash.empty()) plan_logstash(request.logstash, false, planned, diagnostics);
  if (diagnostics.has_errors()) planned.clear();
  return planned;
}

void FlowFiles::read_pipelines(const std::string& path, Diagnostics& diagnostics) {
  Files& files = shell_.world.files;
  logstash::Variables variables;
  variables.environment = shell_.environment;
  const auto text_of = [&](const std::string& file) -> std::optional<std::string> {
    auto text = read_file(files, file, kSettingsBytesMax);
    if (text) return std::move(*text);
    if (text.error().fault() != Fault::absent) diagnostics.error({file, 0, 0}, text.error().text());
    return std::nullopt;
  };
  const bool is_list = name_of(path) == kPipelinesName;
  const std::string folder = is_list ? parent_of(path) : path;
  const auto settings_text = text_of(join_path(folder, kSettingsName));
  const auto list_text = text_of(is_list ? path : join_path(folder, kPipelinesName));
  logstash::Settings settings;
  if (settings_text)
    settings = logstash::parse_settings(*settings_text, join_path(folder, kSettingsName), variables, diagnostics);
  std::vector<logstash::PipelineSettings> wanted;
  if (list_text) {
    wanted = logstash::parse_pipelines(*list_text, is_list ? path : join_path(folder, kPipelinesName),
                                       settings.defaults, variables, diagnostics);
  } else {
    wanted.push_back(settings.defaults);
    if (!settings_text || wanted[0].config_path.empty()) wanted[0].config_path = path;
  }
  auto& pipelines = *pipelines_.emplace_back(std::make_unique<std::vector<pipeline::LogstashPipeline>>());
  for (auto& each : wanted) {
    if (!each.enabled) continue;
    auto configuration = logstash::load_pipeline(files, each, variables, diagnostics);
    pipelines.push_back({std::move(each), std::move(configuration)});
  }
}

void FlowFiles::plan_logstash(const std::string& path, bool filters_only, std::vector<Planned>& into,
                              Diagnostics& diagnostics) {
  read_pipelines(path, diagnostics);
  auto& pipelines = *pipelines_.back();
  if (diagnostics.has_errors() || pipelines.empty()) return;
  if (filters_only)
    for (auto& each : pipelines) each.configuration.inputs.clear(), each.configuration.outputs.clear();
  // Pipelines that send to each other have the same compatibility in every installation seen; the first one's counts.
  worlds_.push_back(std::make_unique<pipeline::FilterWorld>(
      pipeline::FilterWorld{shell_.world.files, lookup_, pipelines.front().settings.ecs_compatibility}));
  for (auto& plan : pipeline::plan_logstash(pipelines, *worlds_.back(), diagnostics)) {
    const bool wants_inputs = plan.flow.sources.empty();
    if (wants_inputs && plan.archive == pipeline::LogstashPlan::kNoArchive && filters_only) continue;
    into.push_back({std::move(plan.flow), plan.archive, wants_inputs, {}});
  }
}

}  // namespace enclave::cli
