#pragma once

#include <memory>
#include <string>

#include "io/datagram.h"
#include "pipeline/peer_sources.h"

namespace enclave::pipeline {

struct DatagramOptions {
  std::string kind = "udp";  ///< of the sources' names
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t message_bytes_max = 65'536;  ///< longer ones are cut and counted
  std::size_t receive_buffer_bytes = 0;    ///< of the kernel; 0: its default
};

/// Datagrams of a UDP port, each a message. What the kernel has no room for is lost, and counted.
class DatagramServer final : public Input {
 public:
  static Result<std::unique_ptr<DatagramServer>> open(const DatagramOptions& options, World world, InputLog& log,
                                                      std::shared_ptr<PeerSources> sources);

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override;
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override;
  void committed(const event::Batch& /*batch*/) override {}
  std::vector<int> descriptors() const override { return {socket_.descriptor()}; }
  std::int64_t next_poll_boot_ns() const override;
  std::uint16_t port() const { return socket_.port(); }

 private:
  DatagramServer(const DatagramOptions& options, World world, InputLog& log, std::shared_ptr<PeerSources> sources,
                 io::DatagramSocket socket)
      : options_(options), world_(world), log_(log), sources_(std::move(sources)), socket_(std::move(socket)) {}
  void look_at_dropped();

  const DatagramOptions options_;
  World world_;
  InputLog& log_;
  std::shared_ptr<PeerSources> sources_;
  io::DatagramSocket socket_;
  std::array<std::uint8_t, 16> last_address_{};  ///< mostly the next one is of the same sender
  std::string last_text_;
  PeerSources::Peer* last_peer_ = nullptr;
  std::uint32_t dropped_ = 0;
};

/// Two inputs as one, such as the TCP and the UDP port of syslog.
class PairedInput final : public Input {
 public:
  PairedInput(std::unique_ptr<Input> one, std::unique_ptr<Input> other) : inputs_{std::move(one), std::move(other)} {}
  Result<Polled> poll(event::Batch& batch, std::size_t budget) override;
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override;
  void blocked() override;
  void committed(const event::Batch& batch) override;
  std::vector<int> descriptors() const override;
  std::int64_t next_poll_boot_ns() const override;

 private:
  std::array<std::unique_ptr<Input>, 2> inputs_;
  bool turn_ = false;
};

}  // namespace enclave::pipeline
