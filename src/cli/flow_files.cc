#include "cli/flow_files.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>

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

std::vector<FlowRequest> FlowRequest::parts() const {
  std::vector<FlowRequest> all;
  if (!filters.empty()) all.push_back({.filters = filters, .reload = reload});
  if (!logstash.empty()) all.push_back({.logstash = logstash, .reload = reload});
  if (!filebeat.empty()) all.push_back({.filebeat = filebeat, .compat = compat, .reload = reload});
  return all;
}

FlowFiles::FlowFiles(Shell& shell)
    : files_(shell.world.files),
      shell_{.world = {shell.world.clock, files_, shell.world.random},
             .out = shell.out,
             .err = shell.err,
             .directory = shell.directory,
             .environment = shell.environment},
      real_(shell.world.files),
      zones_(real_),
      lookup_(zones_.lookup()) {}

std::vector<FlowFiles::Planned> FlowFiles::plan(const FlowRequest& request, const std::string& host,
                                                Diagnostics& diagnostics) {
  for (const auto& part : request.parts()) {
    if (!part.filters.empty()) read_logstash(part.filters, true, diagnostics);
    if (!part.logstash.empty()) read_logstash(part.logstash, false, diagnostics);
    if (!part.filebeat.empty()) read_filebeat(part, host, diagnostics);
  }
  auto planned = make(diagnostics);
  files_.freeze();
  return planned;
}

/// What inputs are made from besides their options: secrets, and files that libraries open, such as certificates.
void FlowFiles::finish_recipes(pipeline::FlowPlan& flow, const Basis& basis) {
  std::string besides;
  for (const auto& [name, value] : basis)
    if (name.starts_with("variable ") || (name.starts_with("file ") && value.find(':') != std::string::npos))
      besides += name + value + "\n";
  std::map<std::string, std::size_t> seen;
  for (auto& source : flow.sources) {
    if (source.recipe.empty()) continue;
    const auto digest = crypto::sha256(source.recipe + "\n" + besides);
    source.recipe = to_hex(bytes_of(digest));
    if (const std::size_t before = seen[source.recipe]++; before > 0) source.recipe += fmt::format(" {}", before);
  }
}

std::vector<FlowFiles::Planned> FlowFiles::make(Diagnostics& diagnostics) {
  std::vector<Planned> planned;
  for (const auto& pipelines : pipelines_) make_logstash(*pipelines, planned, diagnostics);
  make_filebeat(planned, diagnostics);
  if (diagnostics.has_errors()) planned.clear();
  return planned;
}

std::optional<FlowFiles::Planned> FlowFiles::plan_again(const std::string& id) {
  Diagnostics told_before;
  for (auto& planned : make(told_before))
    if (planned.flow.id == id) return std::move(planned);
  return std::nullopt;
}

void FlowFiles::read_filebeat(const FlowRequest& request, const std::string& host, Diagnostics& diagnostics) {
  filebeat::ReadOptions options;
  if (!request.compat.empty()) options.compat = request.compat[0] - '0';
  options.variables = [this, find = filebeat_variables(request.filebeat, shell_, diagnostics)](std::string_view name) {
    return files_.variable(name, find);
  };
  files_.credit(&filebeat_basis_);
  auto config =
      std::make_unique<filebeat::Config>(filebeat::load_filebeat(files_, request.filebeat, options, diagnostics));
  files_.credit(nullptr);
  if (diagnostics.has_errors()) return;
  if (config->http.enabled)
    ask_for_api(config->http.host, std::to_string(config->http.port), {request.filebeat, 0, 0}, diagnostics);
  for (const auto* more : {&config->input_files, &config->input_folder})
    take_reload(*more, parent_of(request.filebeat));
  const std::string& name = config->name.empty() ? host : config->name;
  filebeats_.push_back(std::move(config));
  filebeat_worlds_.push_back(std::make_unique<filebeat::FlowWorld>(
      files_, lookup_, filebeat::Identity{name, "", agent_id(real_, host), random_id(shell_.world.random)}));
}

/// reload.enabled of filebeat.config.inputs is about these files, and not about filebeat.yml.
void FlowFiles::take_reload(const filebeat::InputFiles& files, const std::string& beside) {
  if (files.path.empty() || !files.enabled || !files.reload) return;
  std::string folder = files.path.starts_with('/') ? files.path : join_path(beside, files.path);
  if (!files.is_folder) folder = parent_of(folder.substr(0, folder.find_first_of("*?[\\")) + "x");
  reload_ = {true, files.period, folder + "/"};
}

void FlowFiles::make_filebeat(std::vector<Planned>& into, Diagnostics& diagnostics) {
  if (filebeats_.empty()) return;
  const auto& config = *filebeats_.back();
  files_.credit(&filebeat_basis_);
  auto flow = filebeat::make_flow(config, *filebeat_worlds_.back(), diagnostics);
  files_.credit(nullptr);
  if (flow == nullptr) return;
  Planned planned;
  if (flow->outputs.empty()) {
    planned.archive = 0;
    flow->outputs.push_back({"archive", nullptr, true});
  }
  planned.flow = std::move(*flow);
  planned.basis = filebeat_basis_;
  finish_recipes(planned.flow, filebeat_basis_);
  take_registry(config, planned, diagnostics);
  into.push_back(std::move(planned));
}

void FlowFiles::take_registry(const filebeat::Config& config, Planned& planned, Diagnostics& diagnostics) {
  const std::string& path = config.registry.path;
  const std::string whole = path.starts_with('/') ? path : join_path(std::string(kFilebeatData), path);
  const auto imported = filebeat::import_registry(real_, whole);
  if (!imported) {
    if (imported.error().fault() != Fault::absent)
      diagnostics.warning({whole, 0, 0},
                          fmt::format("the registry of Filebeat is not taken over: {}", imported.error().text()));
    return;
  }
  auto taken = filebeat::take_positions(real_, *imported);
  planned.imported = std::move(taken.ranges);
}

/// The pipelines run without it: an address that cannot be used is no reason to stop.
void FlowFiles::ask_for_api(std::string_view host, std::string_view ports, const Place& place,
                            Diagnostics& diagnostics) {
  const auto address = pipeline::parse_listen_address(host, ports);
  if (address) return apis_.push_back(*address);
  diagnostics.warning(place, fmt::format("no metrics are served there: {}", address.error().text()));
}

void FlowFiles::read_logstash(const std::string& path, bool filters_only, Diagnostics& diagnostics) {
  auto pipelines = std::make_unique<Pipelines>();
  pipelines->filters_only = filters_only;
  pipeline::logstash::Settings program;
  pipelines->all = read_pipelines(path, shell_, diagnostics, &files_, &pipelines->bases, &program);
  if (!filters_only && program.api_named && program.api_enabled)
    ask_for_api(program.api_host, program.api_port, {path, 0, 0}, diagnostics);
  if (diagnostics.has_errors() || pipelines->all.empty()) return;
  if (filters_only)
    for (auto& each : pipelines->all) each.configuration.inputs.clear(), each.configuration.outputs.clear();
  const auto& settings = pipelines->all.front().settings;
  if (settings.reload) reload_ = {true, settings.reload_interval, {}};
  pipelines->world =
      std::make_unique<pipeline::FilterWorld>(pipeline::FilterWorld{files_, lookup_, settings.ecs_compatibility});
  pipelines_.push_back(std::move(pipelines));
}

void FlowFiles::make_logstash(const Pipelines& pipelines, std::vector<Planned>& into, Diagnostics& diagnostics) {
  std::deque<Basis> bases;  // of each plan, in order
  const auto begins = [&](std::span<const std::size_t> members) {
    Basis& basis = bases.emplace_back();
    for (const std::size_t member : members) {
      const std::string& id = pipelines.all[member].settings.id;
      basis.emplace("the pipelines that belong together", "").first->second += id + "\n";
      for (const auto& [name, value] : pipelines.bases[member])
        basis.emplace(name.starts_with("its ") ? fmt::format("the settings of {}", id) : name, value);
    }
    files_.credit(&basis);
  };
  auto plans = pipeline::plan_logstash(pipelines.all, *pipelines.world, diagnostics, begins);
  files_.credit(nullptr);
  for (std::size_t i = 0; i < plans.size(); ++i) {
    auto& plan = plans[i];
    const bool wants_inputs = plan.flow.sources.empty();
    if (wants_inputs && plan.archive == pipeline::LogstashPlan::kNoArchive && pipelines.filters_only) continue;
    const bool reloadable = std::ranges::all_of(
        plan.members, [&](std::size_t member) { return pipelines.all[member].settings.reloadable; });
    into.push_back({std::move(plan.flow), plan.archive, wants_inputs, {}, std::move(bases[i]), reloadable});
    for (const std::size_t member : plan.members) finish_recipes(into.back().flow, pipelines.bases[member]);
  }
}

}  // namespace enclave::cli
