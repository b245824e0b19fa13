#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/batch_queue.h"
#include "pipeline/ledger.h"

namespace enclave::pipeline {

/// The reading stage: inputs, in turn, into the queue. One thread at a time.
class Reader {
 public:
  Reader(World world, std::size_t read_bytes, BatchQueue& queue, Ledger& ledger);
  /// Before the first step. `background`: the end of all others is the end.
  void add(std::string id, std::unique_ptr<Input> input, bool background = false);
  /// From any thread; the next step takes it up.
  void add_later(std::string id, std::unique_ptr<Input> input);
  Engine::Step step();
  std::vector<int> descriptors() const;
  std::int64_t next_boot_ns() const;
  void finish() { finishing_ = true; }
  /// The same for a successor that goes on from the same positions: what it would read again is not given out.
  void hand_over() { finishing_ = handing_over_ = true; }

  /// This one stays open for the successor. After hand_over().
  void keep(std::size_t index) { sources_[index].kept = true; }
  /// One that was kept, when step() has said that all ended; null for others.
  std::unique_ptr<Input> take_kept(std::size_t index) {
    return sources_[index].kept ? std::move(sources_[index].input) : nullptr;
  }

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
    bool kept = false;
    std::int64_t retry_boot_ns = 0;  ///< after an error
    std::unique_ptr<Given> given = std::make_unique<Given>();
  };
  void take_arrivals();
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
  bool finishing_ = false, handing_over_ = false;
  std::mutex arriving_mutex_;
  std::vector<std::pair<std::string, std::unique_ptr<Input>>> arriving_;
};

}  // namespace enclave::pipeline
