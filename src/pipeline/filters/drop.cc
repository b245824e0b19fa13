#include <random>

#include "pipeline/filter.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

/// Drops every event, or a share of them.
class Drop final : public Filter {
 public:
  explicit Drop(std::int64_t percentage) : percentage_(percentage) {}

  bool apply(event::Document& event, FilterRun& /*run*/) override {
    // Which ones go need not be hard to guess.
    if (percentage_ < 100 && static_cast<std::int64_t>(random_() % 100) >= percentage_) return false;
    event.cancelled = true;
    return true;
  }

 private:
  std::int64_t percentage_;
  std::minstd_rand random_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  return std::make_unique<Drop>(options.number("percentage", 100, 0, 100));
}

}  // namespace

extern const FilterPlugin filter_drop;
const FilterPlugin filter_drop = {"drop", "Drops every event that reaches it.", make};

}  // namespace enclave::pipeline
