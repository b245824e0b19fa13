#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/output.h"

/// Events that an output refused for good (docs/formats/dead-letters.md).
namespace enclave::pipeline {

/// The file that a flow keeps in its state directory.
inline constexpr std::string_view kDeadLettersName = "dead-letters.ndjson";

class LetterBox : public DeadLetters {
 public:
  struct Counts {
    std::uint64_t kept = 0;   ///< since it was opened
    std::uint64_t bytes = 0;  ///< of the file
    std::uint64_t lost = 0;   ///< since it was opened: the file was full
  };
  /// Thread-safe.
  virtual Counts counts() const = 0;
};

/// One JSON object on each line, with when, by which plugin and why. Durable when add() returns. What would make the
/// file larger than `bytes_max` is not kept but counted, and a trouble says so. The file is 0600. Others may take
/// letters out of it meanwhile (take_dead_letters). `log` outlives it.
Result<std::unique_ptr<LetterBox>> open_dead_letters(World world, const std::string& path, InputLog& log,
                                                     ByteCount bytes_max = 1024_MiB);

}  // namespace enclave::pipeline
