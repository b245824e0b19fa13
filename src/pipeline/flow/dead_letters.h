#pragma once

#include <memory>
#include <string>

#include "pipeline/output.h"

namespace enclave::pipeline {

/// Events that an output refused for good: one JSON object on each line, with when, by which plugin and why. Durable
/// when add() returns. At `bytes_max` nothing is added any more: Fault::limit. The file is 0600.
Result<std::unique_ptr<DeadLetters>> open_dead_letters(World world, const std::string& path,
                                                       ByteCount bytes_max = 1024_MiB);

}  // namespace enclave::pipeline
