#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "io/host.h"
#include "pipeline/engine.h"

namespace enclave::pipeline {

struct RunOptions {
  /// Read every input to its end, seal, send, return. Otherwise until `stop`.
  bool once = false;
  /// Set, and `waiter` woken, to stop: inputs are finished, what is open is sealed and, if the store answers, sent.
  const std::atomic<bool>* stop = nullptr;
  io::Waiter* waiter = nullptr;
  /// Where status.json is written every few seconds; empty: nowhere.
  std::string status_path;
  /// Called about once a second from the calling thread.
  std::function<void(const EngineStatus&)> progress;
  /// Called now and then, at least every two seconds, from the calling thread.
  std::function<void()> tick;
  /// `once`: how long a store may stay away before the rest is left in the outbox.
  Nanoseconds store_patience = std::chrono::seconds(60);
};

enum class RunEnd : std::uint8_t {
  all_sent,
  outbox_left,  ///< sealed on this disk; sent at the next start
};

/// Runs the three stages on a thread each until it is done. Nothing is lost when the process is killed instead.
Result<RunEnd> run_engine(World world, Engine& engine, const RunOptions& options);

/// The status as JSON, with when it was written; and back. docs/formats/status.md.
std::string format_status(const EngineStatus& status, std::int64_t wall_ns);
struct StatusFile {
  std::int64_t wall_ns = 0;
  EngineStatus status;
};
Result<StatusFile> parse_status(std::string_view json);

}  // namespace enclave::pipeline
