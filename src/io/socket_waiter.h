#pragma once

#include "base/time.h"
#include "io/posix.h"

namespace enclave::io {

/// Sleeps until a socket is ready, somebody calls wake(), or the time is over.
class SocketWaiter {
 public:
  /// Fault::limit when there are no descriptors left.
  static Result<SocketWaiter> make();
  /// `socket` may be -1: none. Ready is when it can be read or has ended, and, for `writing`, when it can be written.
  /// Never longer than a minute. Wakes that came before count, once.
  void wait(int socket, bool writing, Nanoseconds at_most) const;
  /// From any thread.
  void wake() const;

 private:
  explicit SocketWaiter(Descriptor event) : event_(std::move(event)) {}
  Descriptor event_;
};

}  // namespace enclave::io
