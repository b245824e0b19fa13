#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/batch_queue.h"
#include "pipeline/ledger.h"

namespace enclave::pipeline {

/// The reading stage: inputs, in turn, into the queue. One thread at a time.
class Reader {
 public:
  Reader(World world, std::size_t read_bytes, BatchQueue& queue, Ledger& ledger);
  void add(std::string id, std::unique_ptr<Input> input);
  Engine::Step step();
  std::vector<int> descriptors() const;
  std::int64_t next_boot_ns() const;
  void finish() { finishing_ = true; }

 private:
  struct Source {
    std::string id;
    std::unique_ptr<Input> input;
    bool ended = false;
    std::int64_t retry_boot_ns = 0;  ///< after an error
  };
  void acknowledge();
  /// True when something was read.
  bool read_from(std::size_t index);

  World world_;
  std::size_t read_bytes_;
  BatchQueue& queue_;
  Ledger& ledger_;
  std::vector<Source> sources_;
  std::vector<std::unique_ptr<event::Batch>> spare_;
  std::size_t turn_ = 0;
  bool finishing_ = false;
};

}  // namespace enclave::pipeline
