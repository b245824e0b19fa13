#pragma once

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "event/lumberjack.h"
#include "io/listener.h"
#include "pipeline/input_bench.h"

/// What tests of the beats input need: senders that they play, and a receiver that they kill.
namespace enclave::pipeline {

extern const InputPlugin plugin_beats;

namespace testing {

/// What a Beat says of one line.
struct BeatEvent {
  int generation = 8;
  std::string agent = "agent-1";
  std::string process = "process-1";
  std::string path = "/var/log/app.log";
  std::string inode = {};
  std::uint64_t offset = 0;
  std::string message = {};
  int millisecond = 0;  ///< when it was read
  bool turned = false;

  std::string json() const {
    const std::string time = fmt::format(R"("@timestamp":"2026-11-29T10:{:02d}:{:02d}.{:03d}Z")",
                                         millisecond / 60'000 % 60, millisecond / 1000 % 60, millisecond % 1000);
    if (generation == 6)
      return fmt::format(R"({{{},"source":"{}","offset":{},"message":"{}","beat":{{"name":"{}","hostname":"h"}}}})",
                         time, path, offset, message, agent);
    const std::string file = inode.empty() ? "" : fmt::format(R"(,"inode":"{}")", inode);
    const std::string log = fmt::format(R"("log":{{"file":{{"path":"{}"{}}},"offset":{}}})", path, file, offset);
    const std::string who = fmt::format(R"("agent":{{"id":"{}","ephemeral_id":"{}"}})", agent, process);
    // Go's maps have no order: the same event is not the same bytes.
    if (turned) return fmt::format(R"({{{},{},"message":"{}",{}}})", time, who, message, log);
    return fmt::format(R"({{{},{},{},"message":"{}"}})", time, log, who, message);
  }
};

inline std::string lumberjack_ack(std::uint32_t sequence) {
  std::string frame;
  event::append_lumberjack_ack(frame, '2', sequence);
  return frame;
}

inline std::string lumberjack_window(const std::vector<std::string>& texts) {
  std::string bytes;
  event::append_lumberjack_window(bytes, static_cast<std::uint32_t>(texts.size()));
  for (std::uint32_t i = 0; i < texts.size(); ++i) event::append_lumberjack_json(bytes, i + 1, texts[i]);
  return bytes;
}

/// A connection of a sender. `from`: its address, of the loopback network.
class BeatPeer {
 public:
  explicit BeatPeer(std::uint16_t port, const char* from = "127.0.0.1")
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, from, &address.sin_addr), 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void send(std::string_view bytes) { (void)::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Acknowledgements that have come; signs of life are passed over.
  std::vector<std::uint32_t> acks() {
    std::string all(4096, '\0');
    const auto got = ::recv(socket_.get(), all.data(), all.size(), MSG_DONTWAIT);
    if (got <= 0) return {};
    waiting_ += all.substr(0, static_cast<std::size_t>(got));
    std::string_view rest = waiting_;
    std::vector<std::uint32_t> found;
    for (auto ack = event::take_lumberjack_ack(rest); ack && *ack; ack = event::take_lumberjack_ack(rest))
      if (**ack != 0) found.push_back(**ack);
    waiting_ = std::string(rest);
    return found;
  }

 private:
  io::Descriptor socket_;
  std::string waiting_;
};

/// The beats input and an archive that holds what was committed.
class BeatReceiver {
 public:
  BeatReceiver() {
    port = io::Listener::open({}).value()->port();
    bench.set("port", std::to_string(port));
    bench.open();
  }
  /// Reads what has come; nothing is committed.
  void read(int times = 3) {
    for (int i = 0; i < times; ++i) {
      event::Batch batch;
      const auto polled = bench.input->poll(batch, 1 << 20);
      ASSERT_TRUE(polled);
      if (!batch.empty()) given.push_back(std::move(batch));
      if (*polled == Input::Polled::more) --i;
    }
  }
  void commit(std::size_t batches = 1'000'000) {
    for (; batches > 0 && !given.empty(); --batches) {
      const event::Batch& batch = given.front();
      for (const auto& range : batch.sources) {
        if (range.state.empty()) {
          bench.positions.states.erase(range.source);
        } else {
          bench.positions.states[range.source] = range.state;
        }
      }
      for (const auto& event : batch.events) archived.emplace_back(event.raw);
      bench.input->committed(batch);
      given.pop_front();
    }
  }
  void run() {
    read();
    commit();
  }
  /// Until so many acknowledgements have come.
  std::vector<std::uint32_t> hear(BeatPeer& peer, std::size_t count) {
    std::vector<std::uint32_t> all;
    for (int i = 0; i < 20'000 && all.size() < count; ++i) {
      run();
      for (const auto ack : peer.acks()) all.push_back(ack);
      if (all.size() < count) ::usleep(500);
    }
    return all;
  }
  /// Until so many events of batches wait to be committed.
  void read_until(std::size_t events) {
    const auto waiting = [&] {
      std::size_t sum = 0;
      for (const auto& batch : given) sum += batch.events.size();
      return sum;
    };
    for (int i = 0; i < 20'000 && waiting() < events; ++i) {
      read(1);
      if (waiting() < events) ::usleep(500);
    }
    ASSERT_GE(waiting(), events);
  }
  /// kill -9, and a new start.
  void kill() {
    given.clear();
    bench.restart();
  }
  /// Seconds in which nothing happens.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      bench.clock.moved_ns += 1'000'000'000;
      run();
    }
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> out;
    for (const auto& json : archived) {
      const std::size_t at = json.find(R"("message":")") + 11;
      out.push_back(json.substr(at, json.find('"', at) - at));
    }
    return out;
  }
  std::int64_t counter(const std::string& name) { return bench.log.counters[name]; }
  std::size_t states() const { return bench.positions.all("beats-seen:").size(); }

  InputBench bench{plugin_beats};
  std::uint16_t port = 0;
  std::deque<event::Batch> given;
  std::vector<std::string> archived;
};

}  // namespace testing
}  // namespace enclave::pipeline
