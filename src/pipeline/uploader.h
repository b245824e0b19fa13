#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cloud/object_store.h"
#include "pipeline/committer.h"

namespace enclave::pipeline {

/// The uploading stage: outbox → bucket. Objects first, then tiles, then the checkpoint, so that whatever a checkpoint
/// commits to is there. One thread at a time.
class ArchiveOutput {
 public:
  ArchiveOutput(World world, SharedLog& log, cloud::ObjectStore& store, Ledger& ledger);
  Engine::Step step();
  std::int64_t next_boot_ns() const { return retry_boot_ns_; }
  bool everything_sent() const;

 private:
  /// True when something was sent.
  Result<bool> send_next();
  Result<void> send_object(const archive::Log::Pending& pending);
  Result<bool> publish(std::uint64_t size);
  /// Puts what must never change. Another content under the key: Fault::conflict.
  Result<void> put_once(const std::string& key, std::string_view bytes);
  Result<void> fork(std::string_view what);

  World world_;
  SharedLog& log_;
  cloud::ObjectStore& store_;
  Ledger& ledger_;
  std::int64_t retry_boot_ns_ = 0;
  std::int64_t delay_ns_ = 0;
  std::int64_t published_boot_ns_ = 0;
};

}  // namespace enclave::pipeline
