#pragma once

#include <string>

namespace enclave::io {

/// Names the calling thread, as `ps -L` and /proc/PID/task/TID/comm show it; what exceeds 15 bytes is left out.
void name_this_thread(std::string name);

}  // namespace enclave::io
