#include "io/socket_waiter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace enclave::io {

Result<SocketWaiter> SocketWaiter::make() {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) return Error{Fault::limit, "no descriptor is left to wait with"};
  return SocketWaiter(std::move(event));
}

void SocketWaiter::wait(int socket, bool writing, Nanoseconds at_most) const {
  std::array<pollfd, 2> both{{{event_.get(), POLLIN, 0}, {socket, POLLIN, 0}}};
  if (writing) both[1].events = POLLIN | POLLOUT;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  (void)::poll(both.data(), both.size(), static_cast<int>(std::clamp<std::int64_t>(ms, 1, 60'000)));
  std::uint64_t wakes = 0;
  (void)!::read(event_.get(), &wakes, sizeof wakes);
}

void SocketWaiter::wake() const {
  const std::uint64_t one = 1;
  (void)!::write(event_.get(), &one, sizeof one);
}

}  // namespace enclave::io
