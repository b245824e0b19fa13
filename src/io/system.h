#pragma once

#include "base/ports.h"

/// The real world behind base/ports.h. The objects hold no state, live as long as the process and are thread-safe.
namespace enclave::io {

/// CLOCK_REALTIME and CLOCK_BOOTTIME.
Clock& real_clock();

/// The file system of this machine. Every file is opened close-on-exec; what is made is 0600, directories 0700.
/// Error texts begin with the path and say what to do where that is known.
Files& real_files();

/// getrandom(2). Stops the program when the kernel has no random bytes to give: keys must never be guessable.
Random& real_random();

World real_world();

}  // namespace enclave::io
