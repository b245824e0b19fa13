#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

/// Makes a copy of the event for each of the given names, which the copy carries as its type.
class Clone final : public Filter {
 public:
  Clone(std::vector<std::string> names, bool as_tags) : names_(std::move(names)), as_tags_(as_tags) {}

  bool apply(event::Document& event, FilterRun& run) override {
    for (const auto& name : names_) {
      event::Document copy = event.copy();
      if (as_tags_) {
        copy.tag(name);
      } else {
        copy.set("type", Value::of(event.arena().store(name)));
      }
      run.made.push_back(copy);
    }
    // What is added on success is for the copies.
    return false;
  }

 private:
  std::vector<std::string> names_;
  bool as_tags_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  auto names = options.texts("clones");
  if (names.empty()) options.mistake("clones", "is needed: the names of the copies");
  return std::make_unique<Clone>(std::move(names), world.ecs_compatibility != "disabled");
}

}  // namespace

extern const FilterPlugin filter_clone;
const FilterPlugin filter_clone = {"clone", "Makes copies of an event, each with its own type or tag.", make};

}  // namespace enclave::pipeline
