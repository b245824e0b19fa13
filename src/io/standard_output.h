#pragma once

#include <atomic>
#include <string_view>

#include "base/result.h"

namespace enclave::io {

/// Writes all of it to descriptor 1: a terminal, a file, a pipe or a socket. Waits for a slow reader. Faults: busy
/// (`stopping` became true; some of it may be written), absent (nobody reads any more), limit (the disk is full).
Result<void> write_standard_output(std::string_view bytes, const std::atomic<bool>& stopping);

}  // namespace enclave::io
