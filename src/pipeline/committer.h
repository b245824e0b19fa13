#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/sealer.h"
#include "event/compress.h"
#include "event/record.h"
#include "pipeline/batch_queue.h"
#include "pipeline/ledger.h"
#include "pipeline/registry.h"
#include "pipeline/spool.h"

namespace enclave::pipeline {

/// The log, which the committing and the uploading stage share.
struct SharedLog {
  std::unique_ptr<archive::Log> log;
  std::mutex mutex;
};

/// The committing stage: queue → records → spool → sealed batches. One thread at a time.
class Committer {
 public:
  Committer(World world, const EngineOptions& options, SharedLog& log, Registry& registry, BatchQueue& queue,
            Ledger& ledger);
  /// Opens the spool and takes up what it holds.
  Result<void> recover(const crypto::Secret& spool_key, std::vector<std::string>& notices);

  Engine::Step step();
  std::int64_t next_boot_ns() const;
  void finish() { finishing_ = true; }
  /// Nothing is open, staged or waiting to be sealed.
  bool all_sealed() const;

 private:
  /// What becomes one leaf: a batch of one boot, or records that are gone.
  struct Item {
    archive::OpenBatch batch;
    std::string boot_id;
    std::uint64_t last_ordinal = 0;
    std::int64_t opened_boot_ns = 0;
    std::optional<std::pair<std::uint64_t, std::uint64_t>> gap;
  };

  void recover_frame(Frame&& frame, std::uint64_t sealed_seq, std::vector<std::string>& notices);
  void take(Frame&& frame, std::vector<archive::Digest> leaves);
  void defer(std::span<const event::SourceRange> ranges);
  Item& open_item(const Frame& frame, std::size_t source_bytes);
  bool is_due(const Item& item) const;
  Result<void> seal_front();
  Result<void> free_sealed();
  Result<void> seal_due();
  void encode(const event::Batch& batch);
  Result<bool> commit_queue();
  bool over_limit() const;
  Result<void> heartbeat();
  void failed(const Error& error);
  void tell();

  World world_;
  const EngineOptions& options_;
  SharedLog& log_;
  Registry& registry_;
  BatchQueue& queue_;
  Ledger& ledger_;
  std::unique_ptr<Spool> spool_;
  event::RecordWriter writer_;
  event::Compressor compressor_;
  std::deque<Item> items_;                    ///< oldest first; only the last one still grows
  std::vector<event::SourceRange> deferred_;  ///< of frames without records: told by the next batch that has some
  std::size_t deferred_bytes_ = 0;
  std::vector<Reading> in_flight_;                          ///< staged, not yet durable
  std::deque<std::vector<archive::Digest>> staged_leaves_;  ///< one entry for each staged frame
  std::uint64_t next_seq_ = 1;
  std::uint64_t sealed_seq_ = 0;
  std::uint64_t sealed_ordinal_ = 0;
  std::int64_t last_leaf_boot_ns_ = 0;
  std::int64_t retry_boot_ns_ = 0;
  std::map<std::uint64_t, std::int64_t> sealed_first_wall_;  ///< of objects not yet sent, by leaf index
  std::int64_t recovered_wall_ns_ = 0;                       ///< stands for objects that were sealed before this start
  bool finishing_ = false;
  bool full_ = false;
};

}  // namespace enclave::pipeline
