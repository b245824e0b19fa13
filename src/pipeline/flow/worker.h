#pragma once

#include <span>
#include <string>

#include "pipeline/flow/event_stamp.h"
#include "pipeline/flow/flow.h"
#include "pipeline/flow/letter.h"

namespace enclave::pipeline {

/// Makes parcels of a reading: events, filters, bytes. Each worker thread has one.
class FlowWorker {
 public:
  /// `plan` outlives it.
  FlowWorker(const FlowPlan& plan, World& world);

  struct Made {
    std::uint64_t events = 0;           ///< that the batch came to
    Sent sent;                          ///< what became of those that the filters left
    std::vector<Letter> returned = {};  ///< that no output is there for
    std::uint64_t returned_events = 0;
  };
  /// One parcel for each output, in their order; they are cleared first. Nothing in them points into the batch.
  Made work(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels);

  /// Since it was made.
  struct Counts {
    std::vector<logstash::FilterCount> filters;
    struct Source {
      std::uint64_t events = 0;
      std::int64_t busy_ns = 0;
    };
    std::vector<Source> sources;
    std::vector<std::int64_t> packing_ns;  ///< of each output
  };
  Counts counts() const;

 private:
  struct Maker {
    std::unique_ptr<Codec> codec;
    std::unique_ptr<Dressing> dressing;
    std::string joined_tag;   ///< of events that are several lines; empty: none
    bool made_alike = false;  ///< its events differ in line and offset only before the filters
    bool alike = false;       ///< and behind them
  };
  void begin();
  void end(std::vector<Parcel>& parcels);
  void make(std::size_t source, const event::Batch& batch, const event::Event& from, std::uint32_t reading);
  const event::Document* make_marked(std::size_t source, const event::Batch& batch, const event::Event& from,
                                     std::uint32_t reading);
  const EventStamp* stamp_for(std::size_t source, const event::Batch& batch, std::size_t reading);
  void forget_stamp();
  void make_slice(std::size_t source, const event::Batch& batch, std::uint32_t from, std::uint32_t to);
  void pack_slices(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels, Made& made);
  bool pack_alike(std::size_t source, const event::Batch& batch, std::vector<Parcel>& parcels, Made& made);
  void pack_letters(const event::Batch& batch, std::vector<Parcel>& parcels, Made& made);
  bool put_back(std::size_t output, const Letter& letter, const event::Batch& batch, Parcel& into);
  bool pack_run(std::size_t source, const event::Batch& batch, std::span<const event::Event> run,
                std::vector<Parcel>& parcels, Made& made);

  const FlowPlan& plan_;
  Clock& clock_;
  Counts counts_;  ///< filters aside
  std::vector<Maker> makers_;
  std::unique_ptr<Chain> chain_;
  std::vector<std::unique_ptr<Packer>> packers_;
  event::Arena arena_;
  std::vector<event::Document> events_;
  Routed routed_;
  const LineMarks marks_;
  std::optional<EventStamp> stamp_;            ///< of stamp_source_; none when its events cannot be made so
  std::optional<std::uint32_t> stamp_source_;  ///< of the present batch
  event::Arena stamps_;                        ///< what stamped events share
  FilterRun run_;
};

}  // namespace enclave::pipeline
