#include "cli/trials.h"

#include <algorithm>

#include "cli/keystores.h"
#include "cli/logstash_pipelines.h"
#include "io/host.h"

namespace enclave::cli {

namespace filebeat = pipeline::filebeat;

void Trials::read_logstash(const std::string& path, Diagnostics& diagnostics) {
  read_ = read_pipelines(path, shell_, diagnostics);
  for (const auto& each : read_) {
    if (diagnostics.has_errors()) break;
    const pipeline::FilterWorld world{shell_.world.files, lookup_, each.settings.ecs_compatibility};
    (void)pipeline::logstash::Program::compile(each.configuration, world, diagnostics);
  }
  if (diagnostics.has_errors()) return;
  for (const auto& each : read_) pipelines_.push_back({each.settings.id, trial_of(each, shell_.world.files, lookup_)});
}

void Trials::read_filebeat(const std::string& path, const std::string& compat, Diagnostics& diagnostics) {
  Files& files = shell_.world.files;
  filebeat::ReadOptions options;
  if (!compat.empty()) options.compat = compat[0] - '0';
  options.variables = filebeat_variables(path, shell_, diagnostics);
  filebeat_ = filebeat::load_filebeat(files, path, options, diagnostics);
  if (diagnostics.has_errors()) return;
  const auto host = io::this_host(files);
  filebeat::Identity identity;
  identity.host_name = !filebeat_.name.empty() ? filebeat_.name : host ? host->hostname : "localhost";
  filebeat_world_ = std::make_unique<filebeat::FlowWorld>(files, lookup_, std::move(identity));
  (void)filebeat::make_flow(filebeat_, *filebeat_world_, diagnostics);
  if (diagnostics.has_errors()) return;
  std::size_t number = 0;
  for (const auto& input : filebeat_.inputs) {
    ++number;
    if (!input.enabled) continue;
    inputs_.push_back({input.id.empty() ? std::to_string(number) : input.id,
                       trial_of(filebeat_, input, *filebeat_world_, shell_.world)});
  }
}

LineTrial* find_trial(std::vector<Trials::Named>& all, std::string_view name, std::string& problem) {
  if (name.empty() && all.size() == 1) return all[0].trial.get();
  const auto found = std::ranges::find(all, name, &Trials::Named::name);
  if (found != all.end() && !name.empty()) return found->trial.get();
  std::string names;
  for (const auto& each : all) names += (names.empty() ? "" : ", ") + each.name;
  problem = all.empty()    ? "there is none"
            : name.empty() ? "there are several, so one must be named: " + names
                           : fmt::format("there is no \"{}\"; there are: {}", name, names);
  return nullptr;
}

}  // namespace enclave::cli
