#pragma once

#include <memory>

#include "pipeline/input.h"

namespace enclave::pipeline {

/// Lines of a stream that cannot be read again: pipe, terminal, file. It is neither closed nor made non-blocking, since
/// the parent process may share it. Ends at the end of the stream; nothing of it is kept for the next start.
std::unique_ptr<Input> make_stream_input(int descriptor, std::size_t line_bytes_max, World world, InputLog& log);

}  // namespace enclave::pipeline
