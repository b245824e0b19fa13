#pragma once

#include <memory>

#include "base/ports.h"

namespace enclave::io {

/// A Watcher on inotify(7). Without a kernel instance to give, every watch() says so with Fault::limit.
std::unique_ptr<Watcher> inotify_watcher();

}  // namespace enclave::io
