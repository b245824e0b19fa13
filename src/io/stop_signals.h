#pragma once

#include <functional>
#include <memory>

#include "base/result.h"

namespace enclave::io {

/// SIGINT and SIGTERM as a call instead of the process's end. Make it before any other thread: those that begin later
/// inherit that the signals do not interrupt them. After the first signal the next one ends the process at once.
///
/// With `reload` SIGHUP is a call too, each time, until a stop: then it is passed over. The kernel's own SIGHUP says
/// that the terminal has gone, which is a stop.
class StopSignals {
 public:
  /// `stop` is called once, from a thread of this object, and so is `reload`; empty: SIGHUP is left as it was.
  static Result<std::unique_ptr<StopSignals>> catch_them(std::function<void()> stop, std::function<void()> reload = {});
  /// No call after it. Puts back how the signals were treated.
  virtual ~StopSignals() = default;
};

}  // namespace enclave::io
