#pragma once

#include "pipeline/flow/flow.h"

namespace enclave::pipeline {

/// Makes parcels of a reading: events, filters, bytes. Each worker thread has one.
class FlowWorker {
 public:
  /// `plan` outlives it.
  explicit FlowWorker(const FlowPlan& plan);

  struct Made {
    std::uint64_t events = 0;   ///< that the batch came to
    std::uint64_t dropped = 0;  ///< of them, reached no output
  };
  /// One parcel for each output, in their order; they are cleared first. Nothing in them points into the batch.
  Made work(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels);

  std::vector<logstash::FilterCount> counts() const { return chain_->counts(); }

 private:
  struct Maker {
    std::unique_ptr<Codec> codec;
    std::unique_ptr<Dressing> dressing;
    std::string joined_tag;  ///< of events that are several lines; empty: none
  };
  void make(std::size_t source, const event::Batch& batch);

  const FlowPlan& plan_;
  std::vector<Maker> makers_;
  std::unique_ptr<Chain> chain_;
  std::vector<std::unique_ptr<Packer>> packers_;
  event::Arena arena_;
  std::vector<event::Document> events_;
  Routed routed_;
  FilterRun run_;
};

}  // namespace enclave::pipeline
