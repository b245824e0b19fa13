#include "cli/flow_files.h"

#include <array>

#include "base/encoding.h"
#include "base/files.h"
#include "cli/keystores.h"
#include "cli/logstash_pipelines.h"
#include "crypto/digest.h"
#include "io/host.h"

namespace enclave::cli {

namespace filebeat = pipeline::filebeat;

namespace {

constexpr std::string_view kFilebeatData = "/var/lib/filebeat";

/// 16 bytes as RFC 9562 writes them, version 4.
std::string uuid_of(std::span<const std::uint8_t> bytes) {
  std::string hex = to_hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), 16));
  hex[12] = '4';
  hex[16] = 'a';
  for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, 1, '-');
  return hex;
}

/// The same on this machine for ever, and another one on each other machine.
std::string agent_id(Files& files, const std::string& host) {
  const auto instance = io::instance_of(files, host);
  const auto digest = crypto::sha256("filebeat agent " + (instance ? *instance : host));
  return uuid_of(digest);
}

std::string random_id(Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  return uuid_of(bytes);
}

/// A name that is one folder's.
std::string folder_of(std::string_view id) {
  std::string name;
  for (const char c : id) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  return name.empty() ? "_" : name;
}

}  // namespace

std::string flow_directory(const std::string& state, std::string_view id) {
  return join_path(join_path(state, "flows"), folder_of(id));
}

FlowFiles::FlowFiles(Shell& shell) : shell_(shell), zones_(shell.world.files), lookup_(zones_.lookup()) {}

std::vector<FlowFiles::Planned> FlowFiles::plan(const FlowRequest& request, const std::string& host,
                                                Diagnostics& diagnostics) {
  std::vector<Planned> planned;
  // Who receives comes first: a shipper on the same machine finds it listening.
  if (!request.filters.empty()) plan_logstash(request.filters, true, planned, diagnostics);
  if (!request.logstash.empty()) plan_logstash(request.logstash, false, planned, diagnostics);
  if (!request.filebeat.empty()) plan_filebeat(request, host, planned, diagnostics);
  if (diagnostics.has_errors()) planned.clear();
  return planned;
}

void FlowFiles::plan_filebeat(const FlowRequest& request, const std::string& host, std::vector<Planned>& into,
                              Diagnostics& diagnostics) {
  Files& files = shell_.world.files;
  filebeat::ReadOptions options;
  if (!request.compat.empty()) options.compat = request.compat[0] - '0';
  options.variables = filebeat_variables(request.filebeat, shell_, diagnostics);
  auto& config = *filebeats_.emplace_back(
      std::make_unique<filebeat::Config>(filebeat::load_filebeat(files, request.filebeat, options, diagnostics)));
  if (diagnostics.has_errors()) return;
  if (config.http.enabled)
    ask_for_api(config.http.host, std::to_string(config.http.port), {request.filebeat, 0, 0}, diagnostics);
  const std::string& name = config.name.empty() ? host : config.name;
  filebeat_worlds_.push_back(std::make_unique<filebeat::FlowWorld>(
      files, lookup_, filebeat::Identity{name, "", agent_id(files, host), random_id(shell_.world.random)}));
  auto flow = filebeat::make_flow(config, *filebeat_worlds_.back(), diagnostics);
  if (flow == nullptr) return;
  Planned planned;
  if (flow->outputs.empty()) {
    planned.archive = 0;
    flow->outputs.push_back({"archive", nullptr, true});
  }
  planned.flow = std::move(*flow);
  take_registry(config, planned, diagnostics);
  into.push_back(std::move(planned));
}

void FlowFiles::take_registry(const filebeat::Config& config, Planned& planned, Diagnostics& diagnostics) {
  const std::string& path = config.registry.path;
  const std::string whole = path.starts_with('/') ? path : join_path(std::string(kFilebeatData), path);
  const auto imported = filebeat::import_registry(shell_.world.files, whole);
  if (!imported) {
    if (imported.error().fault() != Fault::absent)
      diagnostics.warning({whole, 0, 0},
                          fmt::format("the registry of Filebeat is not taken over: {}", imported.error().text()));
    return;
  }
  auto taken = filebeat::take_positions(shell_.world.files, *imported);
  planned.imported = std::move(taken.ranges);
}

/// The pipelines run without it: an address that cannot be used is no reason to stop.
void FlowFiles::ask_for_api(std::string_view host, std::string_view ports, const Place& place,
                            Diagnostics& diagnostics) {
  const auto address = pipeline::parse_listen_address(host, ports);
  if (address) return apis_.push_back(*address);
  diagnostics.warning(place, fmt::format("no metrics are served there: {}", address.error().text()));
}

void FlowFiles::plan_logstash(const std::string& path, bool filters_only, std::vector<Planned>& into,
                              Diagnostics& diagnostics) {
  pipeline::logstash::Settings settings;
  auto& pipelines = *pipelines_.emplace_back(
      std::make_unique<std::vector<pipeline::LogstashPipeline>>(read_pipelines(path, shell_, diagnostics, settings)));
  if (!filters_only && settings.api_named && settings.api_enabled)
    ask_for_api(settings.api_host, settings.api_port, {path, 0, 0}, diagnostics);
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
