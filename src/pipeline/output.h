#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/codec.h"
#include "pipeline/input.h"
#include "pipeline/line_form.h"

/// Outputs of a flow: where events go besides the archive.
namespace enclave::pipeline {

/// Events of one batch made ready for one output by a worker: bytes, and which of them go where.
struct Parcel {
  struct Piece {
    std::size_t begin = 0, end = 0;  ///< of `bytes`
    std::uint32_t target = 0;        ///< index into `targets`; 0 where an output has one only
    std::uint32_t events = 1;
  };
  std::string bytes;
  std::vector<Piece> pieces;         ///< in the order of the events
  std::vector<std::string> targets;  ///< paths, keys, URLs, indices
  std::uint64_t events = 0;
  std::unique_ptr<event::Batch> batch;  ///< of `archive` only
  void clear() { bytes.clear(), pieces.clear(), targets.clear(), events = 0, batch.reset(); }
  /// Adds a piece that ends where `bytes` ends now.
  void add(std::size_t begin, std::uint32_t target = 0) {
    pieces.push_back({begin, bytes.size(), target, 1});
    ++events;
  }
  /// What another one holds goes behind what this one holds; without a batch.
  void append(const Parcel& other);
  /// Index of a target; it is added when it is new. The latest is looked at first.
  std::uint32_t target(std::string_view name);
};

/// Made once for each worker.
class Packer {
 public:
  virtual ~Packer() = default;
  /// Adds events to a parcel, which began empty. `batch` is what they were read from.
  virtual void pack(const event::Batch& batch, std::span<const event::Document> events, FilterRun& run,
                    Parcel& into) = 0;
  /// The same for events of which only one was made. False: it cannot; then the caller clears the parcel and begins it
  /// again.
  virtual bool pack_alike(const AlikeEvents& /*alike*/, FilterRun& /*run*/, Parcel& /*into*/) { return false; }
  /// The parcel is complete, or is to be cleared.
  virtual void end(Parcel& /*into*/) {}
};

/// What an output refused for good, as it would have been sent.
struct Refused {
  std::string_view reason;
  std::string_view event;    ///< JSON, or other bytes
  std::string_view to = {};  ///< what put_back() needs besides; no secret, since people read it
  std::uint32_t events = 1;  ///< that these bytes are
};

/// Where what cannot be delivered is kept. Thread-safe.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  /// Durable when it returns, or counted as lost. Called in deliver() of the parcel that holds it.
  virtual Result<void> add(std::string_view plugin, const Refused& refused) = 0;
};

struct OutputSetup {
  World world;
  InputLog& log;                      ///< troubles and counts; subjects and names begin with the output's id
  const std::atomic<bool>& stopping;  ///< who waits looks at it at least four times a second
  DeadLetters& dead_letters;
  std::string id;               ///< "elasticsearch at pipeline.conf:12"
  std::string state_directory;  ///< for what must outlive the process; made by who needs it
};

/// A checked output. After open() one thread at a time calls it, packers aside.
class Output {
 public:
  virtual ~Output() = default;
  virtual Result<void> open(const OutputSetup& setup) = 0;
  virtual std::unique_ptr<Packer> packer() const = 0;
  /// Adds to `into`, between what a packer puts there, what was refused before, so that it is sent again as it was.
  /// False: it cannot, and an event is wanted. Thread-safe.
  virtual bool put_back(const Refused& /*refused*/, Parcel& /*into*/) const { return false; }

  /// Takes parcels in the order of their tickets, which grow. Waits as long as it takes while the other side is away or
  /// slow: that is the back-pressure. An error ends the flow, or is Fault::busy because of `stopping`; then the parcel
  /// is not delivered.
  virtual Result<void> deliver(Parcel& parcel, std::uint64_t ticket) = 0;
  /// The highest ticket up to which everything is where it shall be (synced, acknowledged by the other side); called
  /// a few times each second. `wait`: makes it so for all that was delivered, unless `stopping` and the other side is
  /// away.
  virtual Result<std::uint64_t> settle(bool wait) = 0;
};

/// The card of an output. One file of outputs/ defines one: `const OutputPlugin output_<file name>`.
struct OutputPlugin {
  std::string_view name;  ///< as in the configuration
  std::string_view help;
  /// Reads the options, `codec` too, and reports each mistake; null when there was one. `id` and `enable_metric` are
  /// read by the caller. `options.configuration` outlives the output.
  std::unique_ptr<Output> (*make)(logstash::PluginOptions& options, const FilterWorld& world);
};

/// Made by CMake from the files of outputs/.
std::span<const OutputPlugin* const> output_plugins();

}  // namespace enclave::pipeline
