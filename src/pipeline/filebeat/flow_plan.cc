#include "pipeline/filebeat/flow_plan.h"

#include <iterator>

#include "pipeline/filebeat/flow_source.h"
#include "pipeline/filebeat/processing.h"
#include "pipeline/filebeat/reader.h"
#include "pipeline/line_joiner.h"

namespace enclave::pipeline::filebeat {
namespace {

std::string id_of(const Input& input) {
  const std::string name = input.id.empty() ? input.type : fmt::format("{} {}", input.type, input.id);
  return input.place.line > 0 ? fmt::format("{} at {}:{}", name, input.place.file, input.place.line) : name;
}

void write_recipe(const Node& node, std::string& into) {
  fmt::format_to(std::back_inserter(into), "{}:{} ", node.scalar.size(), node.scalar);
  fmt::format_to(std::back_inserter(into), "[{} ", node.items.size());
  for (const auto& item : node.items) write_recipe(item, into);
  fmt::format_to(std::back_inserter(into), "{{{} ", node.members.size());
  for (const auto& member : node.members) {
    fmt::format_to(std::back_inserter(into), "{}:{}=", member.key.size(), member.key);
    write_recipe(member.value, into);
  }
}

void add_source(const Config& config, const Input& input, const FlowWorld& world, FlowPlan& plan,
                Diagnostics& diagnostics) {
  if (!check_dressing(config, input, world.filters, diagnostics)) return;
  FlowSource made;
  made.id = id_of(input);
  made.recipe = fmt::format("{} ", config.generation);
  write_recipe(input.node, made.recipe);
  made.source = make_source(config, input, world.filters, diagnostics);
  if (made.source == nullptr) return;
  made.multiline = multiline_rule(input);
  if (made.multiline)
    if (const auto good = LineJoiner::check(*made.multiline); !good)
      diagnostics.error(place_of(input.node, "multiline"), fmt::format("multiline: {}", good.error().text()));
  made.dressing = [&config, &input, &world] { return make_dressing(config, input, world.identity, world.filters); };
  plan.sources.push_back(std::move(made));
}

}  // namespace

std::unique_ptr<FlowPlan> make_flow(const Config& config, const FlowWorld& world, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  auto plan = std::make_unique<FlowPlan>();
  plan->id = "filebeat";
  std::vector<const Input*> inputs;
  for (const auto& input : config.inputs) {
    if (!input.enabled) continue;
    const std::size_t sources = plan->sources.size();
    add_source(config, input, world, *plan, diagnostics);
    if (plan->sources.size() > sources) inputs.push_back(&input);
  }
  const ProcessorWorld processors{world.files, world.zones, world.identity};
  (void)make_chain(config, inputs, processors, diagnostics);
  plan->chain = [&config, inputs, &world] {
    Diagnostics told_before;
    const ProcessorWorld now{world.files, world.zones, world.identity};
    return make_chain(config, inputs, now, told_before);
  };
  if (!config.output.empty())
    if (auto output = make_output(config, world.filters, diagnostics))
      plan->outputs.push_back({fmt::format("output.{}", config.output), std::move(output)});
  return diagnostics.errors() == before ? std::move(plan) : nullptr;
}

}  // namespace enclave::pipeline::filebeat
