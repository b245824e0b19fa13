#include "io/standard_output.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/posix.h"

namespace enclave::io {

Result<void> write_standard_output(std::string_view bytes, const std::atomic<bool>& stopping) {
  struct stat found {};
  const bool is_file = ::fstat(STDOUT_FILENO, &found) == 0 && S_ISREG(found.st_mode);
  while (!bytes.empty()) {
    if (!is_file) {
      constexpr int kLookMs = 100;
      pollfd ready{STDOUT_FILENO, POLLOUT, 0};
      const int polled = uninterrupted([&] { return ::poll(&ready, 1, kLookMs); });
      if (polled == 0 && stopping) return Error{Fault::busy, "standard output takes nothing, and the program stops"};
      if (polled == 0) continue;
    }
    // A pipe that is ready takes so much without waiting.
    const std::size_t most = is_file ? bytes.size() : std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const ssize_t put = uninterrupted([&] { return ::write(STDOUT_FILENO, bytes.data(), most); });
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (put < 0 && errno == EPIPE) return Error{Fault::absent, "nobody reads standard output any more"};
    if (put <= 0) return system_error(put < 0 ? errno : EIO, "standard output", "write to it");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace enclave::io
