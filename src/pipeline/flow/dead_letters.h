#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "io/host.h"
#include "pipeline/flow/letter.h"
#include "pipeline/output.h"

/// Where a flow keeps events that its outputs refused for good (docs/formats/dead-letters.md).
namespace enclave::pipeline {

/// In the state directory of a flow: the letters, who writes them, who takes some out, and what is to be replayed.
inline constexpr std::string_view kDeadLettersName = "dead-letters.ndjson";
inline constexpr std::string_view kLetterLockName = "dead-letters.lock";
inline constexpr std::string_view kTakingLockName = "dead-letters.taking";
inline constexpr std::string_view kReplayName = "replay";

/// Thread-safe.
class LetterBox {
 public:
  virtual ~LetterBox() = default;
  /// True: it is kept, and durable. False: there is no room, which is told.
  virtual Result<bool> keep(const Letter& letter) = 0;
  /// Of the file, now.
  virtual std::uint64_t bytes() const = 0;
};

/// One letter on each line of DIRECTORY/dead-letters.ndjson, which is 0600. What would make the file larger than
/// `bytes_max` is not kept, and a trouble says so. `enclave deadletters` may take letters out of it meanwhile. `log`
/// outlives it.
Result<std::unique_ptr<LetterBox>> open_dead_letters(World world, const std::string& directory, InputLog& log,
                                                     ByteCount bytes_max);

/// Held while a letter is written, and while the file is replaced: for milliseconds. Waits for it, a minute at most.
Result<io::Lock> lock_letters(const std::string& directory);

/// What one output puts into the box.
class OutputLetters final : public DeadLetters {
 public:
  /// All of it outlives this.
  OutputLetters(LetterBox& box, std::string output, Clock& clock, InputLog& log)
      : box_(box), output_(std::move(output)), clock_(clock), log_(log) {}
  Result<void> add(std::string_view plugin, const Refused& refused) override;

  /// Events, since it was made. From any thread.
  std::uint64_t kept() const { return kept_; }
  std::uint64_t lost() const { return lost_; }

 private:
  LetterBox& box_;
  const std::string output_;
  Clock& clock_;
  InputLog& log_;
  std::atomic<std::uint64_t> kept_{0}, lost_{0};
};

}  // namespace enclave::pipeline
