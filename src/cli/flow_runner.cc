#include "cli/flow_runner.h"

#include <algorithm>

#include "base/files.h"
#include "cli/config_file.h"
#include "pipeline/flow/archive_output.h"
#include "pipeline/flow/enclave_source.h"
#include "pipeline/flow/flow_file.h"

namespace enclave::cli {
namespace {

using pipeline::FlowStatus;
using pipeline::LogstashPlan;

}  // namespace

Result<void> FlowRunner::plan(const FlowRequest& request, const std::string& host) {
  if (!request.any()) return {};
  Diagnostics diagnostics;
  planned_ = files_.plan(request, host, diagnostics);
  if (diagnostics.has_errors()) {
    const std::string& file = !request.logstash.empty()  ? request.logstash
                              : !request.filters.empty() ? request.filters
                                                         : request.filebeat;
    return Error{Fault::invalid, "{} cannot be used:\n{}", file, diagnostics.text()};
  }
  TRY(open_own_log());
  for (const auto& entry : diagnostics.entries()) {
    live_.say(fmt::format("Note: {}", entry.text));
    if (own_log_) own_log_->write(RotatingLog::Level::warning, entry.text);
  }
  return {};
}

/// Where filebeat.yml names a folder for it: what is told is written there too.
Result<void> FlowRunner::open_own_log() {
  const auto* const config = files_.filebeat();
  if (config == nullptr || !config->logging.to_files || config->logging.path.empty()) return {};
  const auto& logging = config->logging;
  RotatingLog::Options options;
  options.folder = absolute_path(shell_, logging.path);
  options.name = logging.name;
  options.bytes_max = logging.rotateeverybytes.value;
  options.keep = static_cast<std::size_t>(logging.keepfiles);
  options.mode = logging.permissions.bits;
  options.least = level_of(logging.level);
  options.json = logging.json;
  options.dated = config->generation >= 8;
  options.at_startup = logging.rotateonstartup;
  auto log = RotatingLog::open(shell_.world, std::move(options));
  if (!log) return std::move(log).error().within("logging.files");
  own_log_ = std::move(*log);
  own_log_->write(RotatingLog::Level::info, fmt::format("enclave {} begins with this configuration", ENCLAVE_VERSION));
  return {};
}

bool FlowRunner::needs_archive() const {
  return std::ranges::any_of(planned_, [](const auto& each) { return each.archive != LogstashPlan::kNoArchive; });
}
bool FlowRunner::reads_enclave_inputs() const {
  return std::ranges::any_of(planned_, &FlowFiles::Planned::wants_inputs);
}

void FlowRunner::add_inputs(FlowFiles::Planned& planned, const Opening& opening) const {
  for (const auto& input : opening.config->inputs) {
    if (!input.enabled) continue;
    pipeline::FlowSource source;
    source.id = input.id;
    source.source = pipeline::make_enclave_source(*input.plugin, input.node, opening.host);
    planned.flow.sources.push_back(std::move(source));
  }
}

Result<void> FlowRunner::open(const Opening& opening) {
  for (auto& planned : planned_) {
    pipeline::FlowOptions options{
        .world = shell_.world, .state_directory = flow_directory(opening.state, planned.flow.id), .once = opening.once};
    options.imported = std::move(planned.imported);
    options.tell = [this, id = planned.flow.id](std::string_view text, bool over) {
      const std::string told = fmt::format("{} ({}): {}", over ? "No longer so" : "Trouble", id, text);
      live_.say(told);
      if (own_log_) own_log_->write(over ? RotatingLog::Level::info : RotatingLog::Level::error, told);
    };
    if (planned.wants_inputs && opening.config != nullptr) add_inputs(planned, opening);
    if (planned.flow.sources.empty())
      return Error{Fault::invalid, "the pipeline {} has no input, and enclave.yaml names none", planned.flow.id};
    const std::string id = planned.flow.id;
    if (planned.archive != LogstashPlan::kNoArchive) {
      auto handoff = TRY(pipeline::make_archive_handoff());
      planned.flow.outputs[planned.archive].output = std::move(handoff.output);
      opening.engine->add_input("flow " + id, std::move(handoff.input));
      options.positions = &opening.engine->positions();
    }
    auto flow = pipeline::Flow::open(std::move(planned.flow), std::move(options));
    if (!flow) return std::move(flow).error().within(fmt::format("the pipeline {}", id));
    auto running = std::make_unique<Running>();
    running->flow = std::move(*flow);
    flows_.push_back(std::move(running));
  }
  return {};
}

void FlowRunner::start(std::function<void()> ended) {
  left_ = flows_.size();
  for (auto& running : flows_) {
    running->thread = std::thread([this, ended, one = running.get()] {
      one->end = one->flow->run();
      if (!*one->end) failed_ = true;
      auto last = one->flow->status();
      std::unique_ptr<pipeline::Flow> gone;
      {
        const std::lock_guard lock(mutex_);
        one->last = std::move(last);
        gone = std::move(one->flow);
      }
      // Its outputs go now, so that whoever waits for their end hears of it.
      gone.reset();
      --left_;
      ended();
    });
  }
}

void FlowRunner::stop() {
  const std::lock_guard lock(mutex_);
  for (auto& running : flows_)
    if (running->flow) running->flow->stop();
}

Result<bool> FlowRunner::finish() {
  bool all = true;
  std::optional<Error> first;
  for (auto& running : flows_) {
    if (!running->thread.joinable()) continue;
    running->thread.join();
    if (!running->end) continue;
    if (own_log_ && !*running->end) own_log_->write(RotatingLog::Level::critical, running->end->error().text());
  }
  for (const auto& running : flows_) {
    if (!running->end) continue;
    if (!*running->end) {
      if (!first) first = running->end->error();
    } else {
      all = all && **running->end == pipeline::FlowEnd::all_delivered;
    }
  }
  if (first) return *first;
  return all;
}

std::vector<FlowStatus> FlowRunner::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<FlowStatus> all;
  for (const auto& running : flows_) all.push_back(running->flow ? running->flow->status() : running->last);
  return all;
}

std::string FlowRunner::status_json() const { return pipeline::format_flows(status(), shell_.world.clock.wall_ns()); }

std::uint64_t FlowRunner::events_in() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& running : flows_) sum += (running->flow ? running->flow->status() : running->last).events_in;
  return sum;
}

}  // namespace enclave::cli
