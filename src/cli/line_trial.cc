#include "cli/line_trial.h"

#include <fmt/format.h>

#include "pipeline/filebeat/flow_source.h"
#include "pipeline/filebeat/plain_lines.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/grok/pattern_options.h"
#include "pipeline/line_joiner.h"

namespace enclave::cli {
namespace {

namespace filebeat = pipeline::filebeat;
namespace logstash = pipeline::logstash;
using event::Document;
using event::Value;

class LogstashTrial final : public LineTrial {
 public:
  LogstashTrial(const pipeline::LogstashPipeline& pipeline, Files& files, const logstash::ZoneLookup& zones)
      : pipeline_(pipeline), world_{files, zones, pipeline.settings.ecs_compatibility} {
    Diagnostics none;
    program_ = logstash::Program::compile(pipeline.configuration, world_, none);
  }

  std::vector<Document> read(std::string_view lines, event::Arena& arena, pipeline::FilterRun& run) override {
    Document event(arena);
    event.set_wall_ns(run.now_ns);
    event.set(event::kVersionField, Value::of(std::string_view("1")));
    event.set(event::kMessageField, Value::of(lines));
    return {event};
  }

  void apply(std::vector<Document>& events, pipeline::FilterRun& run, const Watch& watch) override {
    program_->watch([&](const logstash::Program::Passed& passed, const Document& event) {
      Step step{fmt::format("{}:{} {}", passed.place.file, passed.place.line, passed.plugin.name),
                &passed.plugin,
                passed.succeeded,
                {}};
      // It changed nothing but the tags: its event is still what it looked at.
      if (!passed.succeeded && passed.plugin.name == "grok")
        step.hints = pipeline::grok::explain_filter(pipeline_.configuration, passed.plugin, world_, event);
      watch(step, event);
    });
    program_->run(events, run);
    program_->watch({});
  }

 private:
  const pipeline::LogstashPipeline& pipeline_;
  const pipeline::FilterWorld world_;
  std::unique_ptr<logstash::Program> program_;
};

/// Sources of files make their events without a codec.
class NoCodec final : public pipeline::Codec {
 public:
  void decode(std::string_view, event::Arena&, pipeline::FilterRun&, std::vector<Document>&) override {}
  void encode(const Document&, pipeline::FilterRun&, std::string&) override {}
};

class NoLog final : public pipeline::InputLog {
 public:
  void trouble(std::string_view, std::string_view) override {}
  void resolved(std::string_view) override {}
  void count(std::string_view, std::int64_t) override {}
};

class FilebeatTrial final : public LineTrial {
 public:
  FilebeatTrial(const filebeat::Config& config, const filebeat::Input& input, const filebeat::FlowWorld& world,
                World& machine)
      : input_(input), machine_(machine), identity_(world.identity) {
    Diagnostics none;
    source_ = filebeat::make_source(config, input, world.filters, none);
    dressing_ = filebeat::make_dressing(config, input, identity_, world.filters);
    const filebeat::ProcessorWorld processors{world.files, world.zones, identity_};
    for (const auto* list : {&input.processors, &config.processors}) {
      for (const auto& one : *list) {
        auto& step = steps_.emplace_back();
        step.name = fmt::format("{}:{} {}", one.place.file, one.place.line, one.name);
        step.processors.push_back(one);
        step.steps = filebeat::make_steps(step.processors, processors, none);
      }
    }
  }

  std::vector<Document> read(std::string_view lines, event::Arena& arena, pipeline::FilterRun& run) override {
    batch_.clear();
    batch_.wall_ns = run.now_ns;
    const std::uint32_t source = batch_.source(fmt::format("file:{}@00000001", path()), "0");
    for (std::size_t at = 0; at <= lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      event::Event line;
      line.raw = lines.substr(at, end - at);
      line.offset = at;
      line.source = source;
      batch_.events.push_back(line);
      at = end + 1;
    }
    if (const auto rule = filebeat::multiline_rule(input_)) {
      if (filebeat::is_opened_first(input_)) filebeat::LineOpener(input_).open(batch_, 0);
      NoLog log;
      pipeline::LineJoiner joiner(*rule, machine_, log);
      joiner.apply(batch_);
      joiner.flush(batch_, true);
    }
    NoCodec codec;
    std::vector<Document> events;
    for (const auto& each : batch_.events) source_->make(batch_, each, arena, codec, run, events);
    for (auto& event : events) dressing_->dress(event, run);
    return events;
  }

  void apply(std::vector<Document>& events, pipeline::FilterRun& run, const Watch& watch) override {
    for (auto& event : events) {
      for (const auto& step : steps_) {
        if (event.cancelled) break;
        filebeat::run_steps(step.steps, event, run);
        watch({step.name, &step, true, {}}, event);
      }
    }
    std::erase_if(events, [](const Document& event) { return event.cancelled; });
  }

 private:
  std::string path() const {
    const auto& paths = input_.paths();
    return paths.empty() ? "/var/log/given.log" : paths.front();
  }

  struct Named {
    std::string name;
    std::vector<filebeat::Processor> processors;  ///< what the steps look at
    filebeat::Steps steps;
  };
  const filebeat::Input& input_;
  World& machine_;
  const filebeat::Identity identity_;
  std::unique_ptr<pipeline::Source> source_;
  std::unique_ptr<pipeline::Dressing> dressing_;
  std::vector<Named> steps_;
  event::Batch batch_;
};

}  // namespace

std::unique_ptr<LineTrial> trial_of(const pipeline::LogstashPipeline& pipeline, Files& files,
                                    const logstash::ZoneLookup& zones) {
  return std::make_unique<LogstashTrial>(pipeline, files, zones);
}

std::unique_ptr<LineTrial> trial_of(const filebeat::Config& config, const filebeat::Input& input,
                                    const filebeat::FlowWorld& world, World& machine) {
  return std::make_unique<FilebeatTrial>(config, input, world, machine);
}

}  // namespace enclave::cli
