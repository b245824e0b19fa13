#pragma once

#include <atomic>
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
  /// `background`: the end of all others is the end.
  void add(std::string id, std::unique_ptr<Input> input, bool background = false);
  Engine::Step step();
  std::vector<int> descriptors() const;
  std::int64_t next_boot_ns() const;
  void finish() { finishing_ = true; }

  /// What an input gave, since it was added.
  struct Given {
    std::atomic<std::uint64_t> events{0}, bytes{0};
    std::atomic<std::int64_t> busy_ns{0};
  };
  /// From any thread, once all inputs are added.
  const Given& given(std::size_t index) const { return *sources_[index].given; }

 private:
  struct Source {
    std::string id;
    std::unique_ptr<Input> input;
    bool ended = false, background = false;
    std::int64_t retry_boot_ns = 0;  ///< after an error
    std::unique_ptr<Given> given = std::make_unique<Given>();
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
