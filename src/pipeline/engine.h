#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/time.h"
#include "cloud/object_store.h"
#include "crypto/age.h"
#include "crypto/secret.h"
#include "pipeline/input.h"

/// Inputs → spool → sealed log → bucket. The engine has three steps that never block on each other; real life gives
/// each a thread (runtime.h), the simulation calls them in any order on a virtual clock.
namespace enclave::pipeline {

struct EngineOptions {
  std::string state_directory;  ///< made when missing; locked by the caller
  std::string enclave;          ///< origin: <enclave>/<instance>/g<generation>
  std::string instance;
  std::string boot_id;
  std::vector<crypto::AgeRecipient> recipients;        ///< of the log objects; at least one
  ByteCount batch_bytes = 64_MiB;                      ///< a batch closes at this much plain text of records
  ByteCount object_bytes = 16_MiB;                     ///< or at this much compressed
  Nanoseconds flush_after = std::chrono::seconds(30);  ///< or when its first record is this old
  Nanoseconds heartbeat = std::chrono::minutes(5);     ///< a leaf at least this often
  ByteCount spool_bytes_max = 1_GiB;                   ///< spool and outbox together; when full, reading stops
  ByteCount segment_bytes = 32_MiB;
  ByteCount read_bytes = 1_MiB;  ///< one reading
};

/// All counters are since the engine was opened, unless they say otherwise.
struct EngineStatus {
  std::string origin;
  std::string trust_anchor;
  std::uint64_t records_read = 0;       ///< events taken from the inputs
  std::uint64_t bytes_read = 0;         ///< raw bytes of them
  std::uint64_t records_committed = 0;  ///< durable in the spool
  std::uint64_t last_seq = 0;
  std::uint64_t last_sealed_seq = 0;
  std::uint64_t leaves = 0;            ///< size of the tree, all time
  std::uint64_t objects_waiting = 0;   ///< sealed, not yet in the store
  std::uint64_t published_leaves = 0;  ///< under the checkpoint that the store has
  std::uint64_t spool_bytes = 0;       ///< on disk, not yet sealed
  std::uint64_t outbox_bytes = 0;      ///< on disk, sealed, not yet in the store
  std::uint64_t spool_bytes_max = 0;
  std::int64_t oldest_unsealed_wall_ns = 0;  ///< of the oldest record in the spool; 0: none
  std::int64_t oldest_unsent_wall_ns = 0;    ///< of the oldest record that the store does not have; 0: none
  std::int64_t last_sealed_wall_ns = 0;
  std::int64_t last_sent_wall_ns = 0;
  std::uint64_t lost = 0;                        ///< see SourceRange::lost
  bool reading_stopped = false;                  ///< because spool or disk is full
  bool store_refuses = false;                    ///< the store answers, and says no: asking again will not help
  std::vector<std::string> troubles;             ///< what is wrong now, each with what to do
  std::vector<std::string> notices;              ///< what was found and mended at start
  std::map<std::string, std::int64_t> counters;  ///< of the inputs
};

/// The three stages; each is a thread in real life.
enum class Stage : std::uint8_t { read, commit, upload };

class Engine {
 public:
  /// Recovers whatever a crash left: log, registry, spool. Fails only when the state directory cannot be used at all.
  /// `store` may be away.
  static Result<std::unique_ptr<Engine>> open(World world, EngineOptions options, const crypto::Secret& spool_key,
                                              cloud::ObjectStore& store);
  virtual ~Engine() = default;

  virtual const Positions& positions() const = 0;
  virtual InputLog& input_log() = 0;
  /// From any thread, also while it runs.
  virtual void add_input(std::string id, std::unique_ptr<Input> input) = 0;

  enum class Step : std::uint8_t {
    worked,   ///< call again at once
    idle,     ///< nothing to do before the time or event that wait_* name
    blocked,  ///< the next stage must move first
    ended,    ///< reading: every input has ended
  };
  /// Reads from the inputs, in turn, into the bounded queue.
  virtual Step read_step() = 0;
  /// Queue → spool, one group fsync; acknowledges; seals when a batch is due.
  virtual Step commit_step() = 0;
  /// Outbox → store: objects, tiles, checkpoint. A store that is away is asked again with growing delay.
  virtual Step upload_step() = 0;

  virtual std::vector<int> read_descriptors() const = 0;
  virtual std::int64_t next_read_boot_ns() const = 0;
  virtual std::int64_t next_commit_boot_ns() const = 0;
  virtual std::int64_t next_upload_boot_ns() const = 0;

  /// From now on read_step() calls Input::finish until all is given out, then says `ended`.
  virtual void finish_reading() = 0;
  /// From now on commit_step() seals what is open as soon as the queue is empty, then says `ended`.
  virtual void finish_committing() = 0;
  /// All that was committed is in the store, under a published checkpoint.
  virtual bool everything_sent() const = 0;

  /// `wake` is called, from any thread, when that stage may have something to do. Set before the threads start.
  virtual void on_wake(Stage stage, std::function<void()> wake) = 0;
  /// `tell` is called once when a trouble begins, and once with `over` when it has ended.
  virtual void on_trouble(std::function<void(std::string_view text, bool over)> tell) = 0;

  /// Thread-safe.
  virtual EngineStatus status() const = 0;
};

}  // namespace enclave::pipeline
