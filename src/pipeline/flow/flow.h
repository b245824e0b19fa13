#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/host.h"
#include "pipeline/logstash/program.h"
#include "pipeline/output.h"
#include "pipeline/registry.h"
#include "pipeline/source.h"

/// Sources → filters → outputs, with as many workers as wanted. Batches keep their order; a source hears that one is
/// done when every output has all of it safe, so nothing is lost by a crash and little is sent twice.
namespace enclave::pipeline {

/// Where the events of one batch go: for each output of the flow those that it gets.
using Routed = std::vector<std::vector<event::Document>>;

/// Filters and the choice of outputs; made once for each worker.
class Chain {
 public:
  virtual ~Chain() = default;
  /// `source` is the index of the source that the events came from. Appends to `routed`, which has a list for each
  /// output. May change and reorder `events`.
  virtual void run(std::size_t source, std::vector<event::Document>& events, FilterRun& run, Routed& routed) = 0;
  virtual std::vector<logstash::FilterCount> counts() const = 0;
};

/// What each event of a source gets besides what the source knows: type, tags, fields. Made once for each worker.
class Dressing {
 public:
  virtual ~Dressing() = default;
  virtual void dress(event::Document& event, FilterRun& run) = 0;
};

struct FlowSource {
  std::string id;
  std::unique_ptr<Source> source;
  CodecChoice codec;                                    ///< empty: the source makes whole events itself
  std::function<std::unique_ptr<Dressing>()> dressing;  ///< empty: none
};
struct FlowOutput {
  std::string id;
  std::unique_ptr<Output> output;
};

/// Made from configuration files; nothing runs yet. What it was made from outlives it.
struct FlowPlan {
  std::string id = "main";
  std::vector<FlowSource> sources;
  std::vector<FlowOutput> outputs;
  std::function<std::unique_ptr<Chain>()> chain;
  std::uint64_t workers = 0;  ///< 0: as many as there are processors
};

}  // namespace enclave::pipeline
