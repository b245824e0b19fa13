#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/ports.h"
#include "event/document.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline {

namespace logstash {
class PluginOptions;
}

/// What filters share while they run: one for each worker. Not thread-safe.
struct FilterRun {
  std::int64_t now_ns = 0;                 ///< wall clock, of this batch
  std::vector<event::Document> made = {};  ///< new events (clone, split): they go on behind the one at hand
  event::JsonReader json = {};
  std::string scratch = {};  ///< cleared by whoever uses it
};

/// One filter of a pipeline, made once for each worker. Nothing an event holds makes it fail: what cannot be done is a
/// tag on the event.
class Filter {
 public:
  virtual ~Filter() = default;
  /// True when it succeeded on this event: then add_field and its like are done. It may set `cancelled`.
  virtual bool apply(event::Document& event, FilterRun& run) = 0;
};

/// What filters are made with. All of it outlives them.
struct FilterWorld {
  Files& files;
  const logstash::ZoneLookup& zones;
  std::string ecs_compatibility = "v8";  ///< disabled, v1, v8
};

/// The card of a filter. One file of filters/ defines one: `const FilterPlugin filter_<file name>`.
struct FilterPlugin {
  std::string_view name;  ///< as in the configuration
  std::string_view help;
  /// Reads the options and reports each mistake; null when there was one.
  std::unique_ptr<Filter> (*make)(logstash::PluginOptions& options, const FilterWorld& world);
};

/// Made by CMake from the files of filters/.
std::span<const FilterPlugin* const> filter_plugins();

}  // namespace enclave::pipeline
