#include "io/datagram_sender.h"

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <system_error>

namespace enclave::io {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

Result<DatagramSender> DatagramSender::open(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(code == 0 ? found : nullptr);
  if (addresses == nullptr) return Error{Fault::absent, "no address of {} is found: {}", host, ::gai_strerror(code)};
  int error = 0;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    Descriptor made(::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // So the kernel also tells when nobody listens; that is no reason to wait.
    if (made.is_open() && ::connect(made.get(), one->ai_addr, one->ai_addrlen) == 0)
      return DatagramSender(std::move(made));
    error = errno;
  }
  return Error{Fault::busy, "{} port {}: {}", host, port, reason(error)};
}

Result<void> DatagramSender::send(std::string_view datagram) const {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto sent =
        uninterrupted([&] { return ::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL); });
    if (sent >= 0) return {};
    if (errno == EMSGSIZE) return Error{Fault::limit, "{} bytes are more than fits a datagram", datagram.size()};
    // What this says is about an earlier datagram.
    if (errno != ECONNREFUSED) return Error{Fault::busy, "{}", reason(errno)};
  }
  return {};
}

}  // namespace enclave::io
