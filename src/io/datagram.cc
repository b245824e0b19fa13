#include "io/datagram.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace enclave::io {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

DatagramPeer sender_of(const sockaddr_storage& from) {
  DatagramPeer sender;
  if (from.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(sender.address.data(), &in6.sin6_addr, 16);
    sender.port = ntohs(in6.sin6_port);
  } else {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    std::ranges::copy(kMapped, sender.address.begin());
    std::memcpy(sender.address.data() + kMapped.size(), &in.sin_addr, 4);
    sender.port = ntohs(in.sin_port);
  }
  return sender;
}

}  // namespace

std::string DatagramPeer::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool mapped = std::equal(kMapped.begin(), kMapped.end(), address.begin());
  if (mapped) {
    ::inet_ntop(AF_INET, address.data() + kMapped.size(), text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

Result<DatagramSocket> DatagramSocket::open(const std::string& host, std::uint16_t port,
                                            std::size_t receive_buffer_bytes) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const std::string address = host == "localhost" ? "127.0.0.1" : host;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0 || found == nullptr)
    return Error{Fault::invalid, "\"{}\" is not an address to listen on; write one such as 127.0.0.1 or 0.0.0.0", host};
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  const std::string name = fmt::format("{} UDP port {}", host, port);
  Descriptor socket(::socket(addresses->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error(errno, name, "open a socket");
  if (receive_buffer_bytes > 0) {
    const int bytes = static_cast<int>(std::min<std::size_t>(receive_buffer_bytes, 1 << 30));
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  const int yes = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
  if (::bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0) {
    if (errno == EADDRINUSE)
      return Error{Fault::conflict, "{}: another program listens there already; stop it or take another port", name};
    if (errno == EADDRNOTAVAIL) return Error{Fault::invalid, "{}: this machine has no such address", name};
    return system_error(errno, name, "listen");
  }
  sockaddr_storage bound{};
  socklen_t bytes = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &bytes) != 0)
    return system_error(errno, name, "listen");
  return DatagramSocket(std::move(socket), sender_of(bound).port);
}

Result<std::optional<DatagramSocket::Datagram>> DatagramSocket::receive(std::span<char> into) {
  sockaddr_storage from{};
  iovec memory{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &memory;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto got = uninterrupted([&] { return ::recvmsg(socket_.get(), &message, MSG_TRUNC); });
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::optional<Datagram>();
  if (got < 0) return system_error(errno, fmt::format("UDP port {}", port_), "read");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header))
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL)
      std::memcpy(&dropped_, CMSG_DATA(header), sizeof dropped_);
  return std::optional(Datagram{static_cast<std::size_t>(got), sender_of(from)});
}

}  // namespace enclave::io
