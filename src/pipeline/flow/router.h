#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "pipeline/flow/flow.h"
#include "pipeline/logstash/ast.h"
#include "pipeline/logstash/condition.h"

namespace enclave::pipeline {

/// What stands in a configuration's output section, by number.
struct RouteTarget {
  std::size_t output = 0;            ///< of the flow
  std::vector<std::size_t> members;  ///< pipelines that get a copy, when it is an output `pipeline`
  bool is_pipeline = false;
};

/// Sends events through the conditions of an output section. Made once for each worker.
class Router {
 public:
  /// `targets`: what each plugin of the section is, in the order of the file; where there is no such section, those
  /// that get all events. Null after a mistake.
  static std::unique_ptr<Router> compile(const logstash::Configuration& configuration,
                                         std::span<const RouteTarget> targets, Diagnostics& diagnostics);

  /// Events that go on into another pipeline, copied.
  struct Onward {
    std::size_t member;
    std::vector<event::Document> events;
  };
  Sent route(const std::vector<event::Document>& events, Routed& routed, std::vector<Onward>& onward);
  /// All events go to the same outputs, and into no other pipeline.
  bool alike() const;

 private:
  struct Fork;
  using Node = std::variant<RouteTarget, Fork>;
  struct Arm {
    std::unique_ptr<logstash::Condition> condition;  ///< null: else
    std::vector<Node> nodes;
    std::vector<event::Document> events;  ///< of the batch at hand; kept for its memory
    std::vector<std::uint32_t> numbers;   ///< of these events
  };
  struct Fork {
    std::vector<Arm> arms;
  };
  class Compiler;
  /// `numbers`: which events of the whole batch these are.
  void route(std::vector<Node>& nodes, const std::vector<event::Document>& events,
             const std::vector<std::uint32_t>& numbers, Routed& routed, std::vector<Onward>& onward);
  void mark(const std::vector<std::uint32_t>& numbers, std::uint8_t how);

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint8_t> marks_;  ///< of each event of the batch at hand
  std::uint64_t copies_ = 0;
};

}  // namespace enclave::pipeline
