#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/filter.h"
#include "pipeline/logstash/ast.h"

namespace enclave::pipeline::logstash {

/// What a filter did since it was made.
struct FilterCount {
  std::string name;  ///< its id, or "grok at pipeline.conf:7"
  std::uint64_t in = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t dropped = 0;
  std::uint64_t made = 0;    ///< events that it added
  std::int64_t busy_ns = 0;  ///< as measure() was asked for; else 0
  std::string reason = {};   ///< why it drops events, in a word or two
};

/// The filters of a configuration, ready to run: made once for each worker, used by one thread at a time.
class Program {
 public:
  /// Null after a mistake; all of them stand in the diagnostics.
  static std::unique_ptr<Program> compile(const Configuration& configuration, const FilterWorld& world,
                                          Diagnostics& diagnostics);
  virtual ~Program() = default;

  /// Runs all events through all filters. What was dropped is taken out, what was made stands behind the event that it
  /// came from; the order of Document::reading is kept.
  virtual void run(std::vector<event::Document>& events, FilterRun& run) = 0;

  virtual std::vector<FilterCount> counts() const = 0;
  /// From now on it is measured how long each filter takes, by two looks at the clock for each batch.
  virtual void measure(Clock& clock) = 0;

  /// Called after each filter, for those who want to see what each does to an event.
  struct Passed {
    const Plugin& plugin;
    Place place;
    bool succeeded;
  };
  using Watch = std::function<void(const Passed& passed, const event::Document& event)>;
  virtual void watch(Watch watch) = 0;
};

}  // namespace enclave::pipeline::logstash
