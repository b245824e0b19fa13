#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/posix.h"

namespace enclave::io {

/// Sends datagrams to one UDP port. Whether they arrive nobody tells.
class DatagramSender {
 public:
  /// Asks for the address of the host, which may wait. Fault::absent when there is none.
  static Result<DatagramSender> open(const std::string& host, std::uint16_t port);
  /// Faults: limit (more than fits a datagram), busy (the kernel takes none for now, or the network is away).
  Result<void> send(std::string_view datagram) const;

 private:
  explicit DatagramSender(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
};

}  // namespace enclave::io
