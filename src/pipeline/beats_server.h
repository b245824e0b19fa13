#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/lumberjack.h"
#include "io/listener.h"
#include "pipeline/beats_options.h"
#include "pipeline/beats_seen.h"
#include "pipeline/input.h"

namespace enclave::pipeline {

/// The port that Beats send to (docs/formats/lumberjack.md). A window is acknowledged when the last batch that holds an
/// event of it was committed, never before.
///
/// A source is an address that sends: `beats:<address>@<port>`. Its positions count its events, over restarts too: they
/// come from whoever reaches the port, so nothing that they say of themselves is a name here. What no longer has room
/// among 4,096 addresses is `beats:others@<port>`.
///
/// Lines that were sent again are told by BeatsSeen and not given out; they are acknowledged with what they repeat.
class BeatsServer final : public Input {
 public:
  static Result<std::unique_ptr<Input>> open(const BeatsOptions& options, const InputSetup& setup);

  Result<Polled> poll(event::Batch& batch, std::size_t budget) override;
  Result<Polled> finish(event::Batch& batch, std::size_t budget) override;
  void blocked() override;
  void committed(const event::Batch& batch) override;
  std::vector<int> descriptors() const override;
  std::int64_t next_poll_boot_ns() const override;

 private:
  /// A line of which it cannot be told yet whether it was sent again.
  struct Held {
    std::shared_ptr<SeenFile> file;
    std::string json;
  };
  struct Sender {
    io::Listener::Id id = 0;
    std::string address;
    std::string source;
    event::LumberjackDecoder decoder;
    std::uint8_t version = '2';
    bool active = false;         ///< stands in active_
    bool paused = false;         ///< not read from, for want of memory
    bool ended = false;          ///< sends no more; what it sent may still be acknowledged
    std::uint64_t frames = 0;    ///< of the decoder, when it was looked at last
    std::uint64_t windows = 0;   ///< the same
    std::int64_t heard_ns = 0;   ///< when bytes came
    std::int64_t said_ns = 0;    ///< when something was sent
    std::int64_t frame_ns = 0;   ///< when the frame began that is not whole yet
    std::int64_t window_ns = 0;  ///< the same for the window
    std::uint64_t batch = 0;     ///< the last one with an event of it; 0: none
    std::uint32_t waiting = 0;   ///< windows that are not acknowledged
    std::size_t buffered = 0;    ///< its part of buffered_
    SeenStream stream;
    BeatLineReader lines;
    std::vector<Held> held;
    std::size_t held_bytes = 0;
  };
  struct Waiting {
    std::uint64_t batch;  ///< that must be committed
    io::Listener::Id id;
    std::uint8_t version;
    std::uint32_t ack;
  };
  enum class Turn : std::uint8_t { more, done, closed };

  BeatsServer(const BeatsOptions& options, const InputSetup& setup, std::unique_ptr<io::TlsServer> tls,
              std::unique_ptr<io::Listener> listener);

  void take_ready();
  void accepted(io::Listener::Id id);
  void activate(Sender& sender);
  Turn turn(Sender& sender, event::Batch& batch, std::size_t budget);
  /// Nothing: more bytes are needed, or the budget is used up.
  Result<void> drain(Sender& sender, event::Batch& batch, std::size_t budget);
  void name_source(Sender& sender);
  void add(Sender& sender, event::Batch& batch, const event::LumberjackItem& item);
  void give(Sender& sender, event::Batch& batch, std::string_view json);
  void recognise(Sender& sender, event::Batch& batch, const event::LumberjackItem& item);
  void release_held(Sender& sender, event::Batch& batch, const SeenFile* of);
  void drop_held(Sender& sender, const SeenFile* of);
  void acknowledge_due();
  void window_ended(Sender& sender, const event::LumberjackItem& item);
  void look_at_progress(Sender& sender);
  bool may_read(const Sender& sender) const;

  void send_ack(io::Listener::Id id, std::uint8_t version, std::uint32_t ack);
  void say_alive(bool stalled);
  void tick();
  void look_at_deadlines(std::int64_t now);
  void resume_paused();
  void forgive_pause(std::int64_t pause_ns);

  /// For a reason that somebody should know.
  void refuse(Sender& sender, std::string_view why);
  void close(io::Listener::Id id);
  std::string subject_of(std::string_view address) const;
  void tell(std::string subject, std::string_view text);

  const BeatsOptions options_;
  World world_;
  const Positions& positions_;
  InputLog& log_;
  std::unique_ptr<io::TlsServer> tls_;
  std::unique_ptr<io::Listener> listener_;
  std::map<io::Listener::Id, Sender> senders_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;  ///< of each source: events given out
  std::map<std::string, std::int64_t, std::less<>> told_;     ///< troubles, and when they were said last
  std::deque<io::Listener::Id> active_;                       ///< may have something to read
  std::vector<Waiting> waiting_;
  std::vector<char> piece_;
  BeatParser parser_;
  BeatsSeen seen_;
  std::size_t buffered_ = 0;        ///< by all decoders
  std::size_t dropped_bytes_ = 0;   ///< of this poll: sent again
  io::Listener::Id preferred_ = 0;  ///< the one that reads on when buffered_ is at its bound
  std::uint64_t given_ = 0;         ///< batches
  std::uint64_t committed_ = 0;     ///< of them
  std::int64_t polled_ns_ = 0, ticked_ns_ = 0;
  int finish_calls_ = 0;
};

}  // namespace enclave::pipeline
