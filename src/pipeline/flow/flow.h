#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/host.h"
#include "pipeline/flow/flow_estate.h"
#include "pipeline/logstash/program.h"
#include "pipeline/output.h"
#include "pipeline/registry.h"
#include "pipeline/source.h"

/// Sources → filters → outputs, with as many workers as wanted. Batches keep their order; a source hears that one is
/// done when every output has all of it safe, so nothing is lost by a crash and little is sent twice.
namespace enclave::pipeline {

/// Where the events of one batch go: for each output of the flow those that it gets.
using Routed = std::vector<std::vector<event::Document>>;

/// What became of events behind their filters, in events.
struct Sent {
  std::uint64_t out = 0;       ///< reached one output, or several
  std::uint64_t unrouted = 0;  ///< reached none
  std::uint64_t made = 0;      ///< copies for other pipelines, beyond the event itself
  Sent& operator+=(const Sent& other) {
    out += other.out, unrouted += other.unrouted, made += other.made;
    return *this;
  }
};

/// Filters and the choice of outputs; made once for each worker.
class Chain {
 public:
  virtual ~Chain() = default;
  /// `source` is the index of the source that the events came from. Appends to `routed`, which has a list for each
  /// output. May change and reorder `events`.
  virtual Sent run(std::size_t source, std::vector<event::Document>& events, FilterRun& run, Routed& routed) = 0;
  virtual std::vector<logstash::FilterCount> counts() const = 0;
  /// From now on FilterCount::busy_ns is kept. The clock outlives the chain.
  virtual void measure(Clock& /*clock*/) {}
  /// Whether it changes nothing and sends all events the same way.
  virtual bool alike() const { return false; }
};

/// What each event of a source gets besides what the source knows: type, tags, fields. Made once for each worker.
class Dressing {
 public:
  virtual ~Dressing() = default;
  virtual void dress(event::Document& event, FilterRun& run) = 0;
  /// Whether what it does depends on neither the line nor its offset.
  virtual bool alike() const { return false; }
};

struct FlowSource {
  std::string id;
  std::unique_ptr<Source> source;
  CodecChoice codec;                                    ///< empty: the source makes whole events itself
  std::function<std::unique_ptr<Dressing>()> dressing;  ///< empty: none
  std::optional<MultilineRule> multiline = {};          ///< of a source without a codec
  bool letters = false;  ///< what it reads goes past the filters to the output that once refused it
  /// Sources with equal ones open inputs that are the same; no two of a plan have one, except empty: like no other. It
  /// may tell secrets.
  std::string recipe = {};
};
struct FlowOutput {
  std::string id;
  std::unique_ptr<Output> output;
  /// Gets a batch only when all others have it safe: it keeps the positions.
  bool last = false;
};

/// Made from configuration files; nothing runs yet. What it was made from outlives it.
struct FlowPlan {
  std::string id = "main";
  std::vector<FlowSource> sources;
  std::vector<FlowOutput> outputs;
  std::function<std::unique_ptr<Chain>()> chain;
  std::uint64_t workers = 0;  ///< 0: as many as there are processors
  ByteCount dead_letter_bytes_max = 1024_MiB;
};

struct FlowOptions {
  World world;
  std::string state_directory;  ///< of this flow: positions, dead letters, what outputs keep; made when missing
  /// Where the sources go on; null: the flow keeps positions of its own.
  const Positions* positions = nullptr;
  bool once = false;               ///< read every source to its end, deliver, return
  ByteCount read_bytes = 256_KiB;  ///< what is made of one reading should stay in the processor's cache
  /// After a stop, and with `once`: how long an output may stay away before the rest is left to the next start.
  Nanoseconds stop_patience = std::chrono::seconds(5), once_patience = std::chrono::seconds(60);
  /// Called once when a trouble begins, and once with `over` when it has ended. From any thread.
  std::function<void(std::string_view text, bool over)> tell = {};
  std::vector<event::SourceRange> imported = {};  ///< positions of another program, taken over at the first start
  /// What the plan was made from: it is kept as long as anything of the plan is.
  std::shared_ptr<const void> made_from = {};
  /// Of the flow that this one replaces; null: none. What fits is taken out when nothing can fail any more.
  FlowEstate* estate = nullptr;
};

/// Counters since the flow was opened. Those of events are of the batches that were handed to the outputs, so they
/// agree with each other whenever somebody looks:
///   events_in + events_made = events_dropped + events_unrouted + letters_returned + events_out
/// and for each output
///   events = delivered + waiting + dead_letters + dead_letters_lost
struct FlowStatus {
  std::string id;
  std::int64_t started_wall_ns = 0;
  std::uint64_t events_in = 0, bytes_in = 0;
  std::uint64_t events_made = 0;       ///< by filters such as clone and split, and for other pipelines of the flow
  std::uint64_t events_dropped = 0;    ///< by the filters
  std::uint64_t events_unrouted = 0;   ///< went to no output
  std::uint64_t events_out = 0;        ///< went to one output, or several
  std::uint64_t letters_returned = 0;  ///< replayed, and dead letters again because their output is no more
  std::uint64_t batches_waiting = 0;   ///< taken from the sources, and not yet safe with every output
  std::uint64_t workers = 0;
  std::uint64_t dead_letters = 0, dead_letters_lost = 0;  ///< events kept; not kept, because there were too many
  std::uint64_t dead_letter_bytes = 0;                    ///< of the file that holds them
  /// Since the program began: how often the flow was replaced by one of a new configuration, and how often a new
  /// configuration was refused.
  std::uint64_t reloads = 0, reloads_refused = 0;
  struct In {
    std::string id;
    std::uint64_t readings = 0, bytes = 0;  ///< lines, messages, requests; what they hold
    std::uint64_t events = 0;               ///< that they came to
    std::int64_t busy_ns = 0;               ///< reading, and making events
    std::map<std::string, std::int64_t> counters;
  };
  std::vector<In> sources;
  struct Out {
    std::string id;
    std::uint64_t events = 0, bytes = 0;
    /// Making bytes of events and handing them over, the wait for a slow other side included.
    std::int64_t busy_ns = 0;
    std::map<std::string, std::int64_t> counters;
    std::uint64_t delivered = 0, waiting = 0;               ///< safe on the other side; not yet
    std::uint64_t dead_letters = 0, dead_letters_lost = 0;  ///< as above
  };
  std::vector<Out> outputs;
  std::vector<logstash::FilterCount> filters;  ///< of all workers together
  std::map<std::string, std::int64_t> counters;
  std::vector<std::string> troubles;
};

enum class FlowEnd : std::uint8_t {
  all_delivered,
  rest_left,  ///< what no output had safe is read again at the next start
};

/// Opened sources and outputs. run() may be called once.
class Flow {
 public:
  static Result<std::unique_ptr<Flow>> open(FlowPlan plan, FlowOptions options);
  virtual ~Flow() = default;
  /// Until stop(), the end of all sources, or an output that can never go on (an Error).
  virtual Result<FlowEnd> run() = 0;
  /// From any thread and from a signal handler.
  virtual void stop() = 0;
  /// As stop(), for a flow that will be opened with the same state directory: what it reads again from the positions is
  /// not given out before its time, such as a line that has no end yet. Inputs whose recipe is one of `kept` stay open.
  virtual void hand_over(std::vector<std::string> kept) = 0;
  /// After run(): the inputs that stayed open. Empty when not all that they gave was delivered.
  virtual std::unique_ptr<FlowEstate> estate() = 0;
  /// Thread-safe.
  virtual FlowStatus status() const = 0;
};

}  // namespace enclave::pipeline
