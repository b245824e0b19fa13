#pragma once

#include <atomic>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "base/ports.h"
#include "io/client_connection.h"
#include "io/socket_waiter.h"
#include "pipeline/input.h"
#include "pipeline/lumberjack_output.h"
#include "pipeline/lumberjack_windows.h"

namespace enclave::pipeline {

/// One connection and the thread that drives it: takes windows, sends them, hears of them; and anew.
class LumberjackLink {
 public:
  struct Setup {
    std::string subject;              ///< of troubles
    std::vector<io::Endpoint> hosts;  ///< tried in turn
    const LumberjackOptions& options;
    const io::TlsClient* tls = nullptr;
    LumberjackWindows& windows;
    World world;
    InputLog& log;
  };
  LumberjackLink(Setup setup, io::SocketWaiter waiter);
  ~LumberjackLink();
  /// There is something to take.
  void wake() const { waiter_.wake(); }
  bool is_connected() const { return connected_.load(); }

 private:
  struct Flying {
    LumberjackWindow window;
    std::uint32_t acknowledged = 0;
    std::size_t sent = 0;  ///< bytes
  };
  void run();
  void serve(io::ClientConnection connection);
  Result<void> turn(io::ClientConnection& connection);
  void take_windows();
  Result<void> send(io::ClientConnection& connection);
  Result<void> hear(io::ClientConnection& connection);
  Result<void> acknowledge(std::uint32_t sequence);
  void give_back();
  void failed(const io::Endpoint& host, const Error& error);
  bool is_old() const;
  std::int64_t now() const { return setup_.world.clock.boot_ns(); }

  Setup setup_;
  const io::SocketWaiter waiter_;
  std::atomic<bool> stopping_ = false, connected_ = false;
  std::size_t host_ = 0;      ///< index of the one that is tried next
  std::size_t failures_ = 0;  ///< in a row
  std::uint32_t events_at_once_;
  std::deque<Flying> flying_;
  std::string heard_;    ///< of an acknowledgement that is not whole
  bool proven_ = false;  ///< this connection's other side has answered
  std::int64_t connected_ns_ = 0, alive_ns_ = 0;
  std::thread thread_;
};

}  // namespace enclave::pipeline
