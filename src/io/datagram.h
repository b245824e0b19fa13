#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "io/posix.h"

/// A UDP port. Nothing here blocks.
namespace enclave::io {

/// Who sent a datagram.
struct DatagramPeer {
  std::array<std::uint8_t, 16> address{};  ///< of IPv4 the last four bytes, ::ffff: before them
  std::uint16_t port = 0;
  /// Without its port: 192.0.2.7, 2001:db8::1.
  std::string text() const;
};

/// Not thread-safe.
class DatagramSocket {
 public:
  /// `host` and the faults as Listener::open has them. `receive_buffer_bytes`: of the kernel; 0: its default.
  static Result<DatagramSocket> open(const std::string& host, std::uint16_t port, std::size_t receive_buffer_bytes);

  struct Datagram {
    std::size_t bytes = 0;  ///< that were sent; those beyond the given memory are lost
    DatagramPeer sender;
  };
  /// None: nothing now.
  Result<std::optional<Datagram>> receive(std::span<char> into);
  /// How many the kernel dropped so far because nobody read them in time.
  std::uint32_t dropped() const { return dropped_; }
  std::uint16_t port() const { return port_; }
  int descriptor() const { return socket_.get(); }

 private:
  DatagramSocket(Descriptor socket, std::uint16_t port) : socket_(std::move(socket)), port_(port) {}
  Descriptor socket_;
  std::uint16_t port_;
  std::uint32_t dropped_ = 0;
};

}  // namespace enclave::io
