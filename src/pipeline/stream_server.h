#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/listener.h"
#include "pipeline/peer_sources.h"
#include "pipeline/stream_framer.h"

namespace enclave::pipeline {

struct StreamOptions {
  std::string kind = "tcp";  ///< of the sources' names
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string unix_path;  ///< a socket of the file system instead
  bool unlink_first = false;
  bool connects = false;                       ///< this side makes the connection
  Nanoseconds retry{std::chrono::seconds(5)};  ///< after which it is made again
  StreamFramer::Framing framing = StreamFramer::Framing::lines;
  std::string delimiter = "\n";              ///< of lines
  std::size_t message_bytes_max = 10 << 20;  ///< longer ones are cut and counted
  std::size_t connections_max = 1000;
  Nanoseconds idle{0};          ///< a connection that is silent for so long is closed; 0: none is
  bool proxy_protocol = false;  ///< the first line of a connection says for whom it was made (version 1)
  std::optional<io::TlsServerOptions> tls;
};

/// Messages from connections, of TCP or of the file system. Nothing acknowledges them: what was received and is not
/// durable at a crash is lost, as with every server of such a protocol.
///
/// Bounds: messages and connections as the options say; when all connections are taken, those that were silent for five
/// minutes are closed. Unfinished messages of all connections together hold 64 MiB at most: beyond that they are cut.
class StreamServer final : public Input {
 public:
  /// `sources` may be shared with another input of the same thread.
  static Result<std::unique_ptr<StreamServer>> open(const StreamOptions& options, World world, InputLog& log,
                                                    std::shared_ptr<PeerSources> sources);

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override;
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override;
  void committed(const event::Batch& /*batch*/) override {}
  std::vector<int> descriptors() const override { return {listener_->descriptor()}; }
  std::int64_t next_poll_boot_ns() const override;
  std::uint16_t port() const { return listener_->port(); }

 private:
  struct Sender {
    Sender(const StreamOptions& options, io::Listener::Id number)
        : id(number),
          framer(options.framing, options.message_bytes_max, options.delimiter),
          expects_proxy(options.proxy_protocol) {}
    io::Listener::Id id;
    StreamFramer framer;
    PeerSources::Peer* peer = nullptr;
    std::string address;
    std::string fields;
    std::string_view fields_in_batch;
    std::uint64_t batch = 0;  ///< in which `fields_in_batch` is
    std::int64_t heard_ns = 0;
    std::size_t held = 0;  ///< its part of held_
    bool expects_proxy;
    bool active = false;
    bool spoke = false;
  };
  enum class Turn : std::uint8_t { more, done, closed };

  StreamServer(StreamOptions options, World world, InputLog& log, std::shared_ptr<PeerSources> sources,
               std::unique_ptr<io::TlsServer> tls, std::unique_ptr<io::Listener> listener);
  void connect();
  void take_ready();
  void accepted(io::Listener::Id id);
  void activate(Sender& sender);
  Turn turn(Sender& sender, event::Batch& batch, std::size_t budget);
  Result<void> take(Sender& sender, std::string_view piece, event::Batch& batch);
  Result<void> give(Sender& sender, event::Batch& batch);
  Result<void> take_proxy_line(Sender& sender, std::string_view line);
  void end(Sender& sender, event::Batch& batch);
  void tick();
  void refuse(Sender& sender, std::string_view why);
  void close(io::Listener::Id id);
  std::string name() const;
  void tell(std::string subject, std::string_view text);

  const StreamOptions options_;
  World world_;
  InputLog& log_;
  std::shared_ptr<PeerSources> sources_;
  std::unique_ptr<io::TlsServer> tls_;
  std::unique_ptr<io::Listener> listener_;
  std::map<io::Listener::Id, Sender> senders_;
  std::map<std::string, std::int64_t, std::less<>> told_;  ///< troubles, and when they were said last
  std::deque<io::Listener::Id> active_;
  std::vector<StreamFramer::Message> messages_;
  std::string address_;  ///< of `connects`
  std::int64_t connect_ns_ = 0;
  std::uint64_t polls_ = 0;
  std::size_t held_ = 0;
  std::int64_t ticked_ns_ = 0;
};

}  // namespace enclave::pipeline
