#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "event/lumberjack.h"
#include "io/listener.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline {

extern const InputPlugin plugin_beats;

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ack(std::uint32_t sequence) {
  std::string frame;
  event::append_lumberjack_ack(frame, '2', sequence);
  return frame;
}

std::string window(const std::vector<std::string>& texts) {
  std::string bytes;
  event::append_lumberjack_window(bytes, static_cast<std::uint32_t>(texts.size()));
  for (std::uint32_t i = 0; i < texts.size(); ++i) event::append_lumberjack_json(bytes, i + 1, texts[i]);
  return bytes;
}

/// A sender that this test plays.
class Sender {
 public:
  explicit Sender(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// What has come so far; "closed" when the other side has gone.
  std::string answers() {
    std::string all(1000, '\0');
    const auto got = ::recv(socket_.get(), all.data(), all.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return "closed";
    all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return all;
  }

 private:
  io::Descriptor socket_;
};

class BeatsInput : public ::testing::Test {
 protected:
  BeatsInput() {
    {
      const auto probe = io::Listener::open({}).value();
      port = probe->port();
    }
    bench.set("port", std::to_string(port));
    bench.open();
  }
  /// Polls until `count` events were given out, which are not committed.
  void poll_for(event::Batch& batch, std::size_t count) {
    for (int i = 0; i < 10'000 && batch.events.size() < count; ++i) {
      ASSERT_TRUE(bench.input->poll(batch, 1 << 20));
      if (batch.events.size() < count) ::usleep(1000);
    }
    ASSERT_EQ(batch.events.size(), count);
  }
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      bench.clock.moved_ns += 1'000'000'000;
      ASSERT_EQ(bench.poll(), Input::Polled::idle);
    }
  }

  testing::InputBench bench{plugin_beats};
  std::uint16_t port = 0;
};

TEST_F(BeatsInput, AcknowledgesAWindowWhenItsLastEventIsCommittedAndNotBefore) {
  Sender sender(port);
  sender.send(window({"{\"a\":1}", "{\"a\":2}"}));
  event::Batch batch;
  poll_for(batch, 2);
  EXPECT_EQ(batch.events[1].raw, "{\"a\":2}");
  EXPECT_EQ(sender.answers(), "");
  bench.input->committed(batch);
  EXPECT_EQ(sender.answers(), ack(2));
}

TEST_F(BeatsInput, AWindowOverTwoBatchesWaitsForBoth) {
  Sender sender(port);
  const std::string bytes = window({"1", "2", "3"});
  sender.send(bytes.substr(0, bytes.size() - 5));
  event::Batch first, second;
  poll_for(first, 2);
  sender.send(bytes.substr(bytes.size() - 5));
  poll_for(second, 1);
  bench.input->committed(first);
  EXPECT_EQ(sender.answers(), "");
  bench.input->committed(second);
  EXPECT_EQ(sender.answers(), ack(3));
}

TEST_F(BeatsInput, PositionsCountTheEventsOfAnAddressOverRestarts) {
  const auto deliver = [&] {
    Sender sender(port);
    sender.send(window({"x", "y"}));
    const std::size_t before = bench.events.size();
    for (int i = 0; i < 10'000 && bench.events.size() < before + 2; ++i) bench.poll(), ::usleep(1000);
    EXPECT_EQ(sender.answers(), ack(2));
  };
  deliver();
  bench.restart();
  deliver();
  ASSERT_THAT(bench.events, SizeIs(4));
  EXPECT_EQ(bench.events[3].offset, 3U);
  EXPECT_THAT(bench.sources(), ElementsAre(fmt::format("beats:127.0.0.1@{}", port)));
}

TEST_F(BeatsInput, SaysThatItIsAtWorkWhileAWindowWaits) {
  Sender sender(port);
  sender.send(window({"1"}));
  event::Batch batch;
  poll_for(batch, 1);
  bench.clock.moved_ns += 4'000'000'000;
  bench.input->blocked();
  EXPECT_EQ(sender.answers(), "");
  bench.clock.moved_ns += 2'000'000'000;
  bench.input->blocked();
  EXPECT_EQ(sender.answers(), ack(0));
  bench.input->committed(batch);
  EXPECT_EQ(sender.answers(), ack(1));
}

TEST_F(BeatsInput, NeverAcknowledgesAWindowOnAnotherConnection) {
  event::Batch batch;
  {
    Sender gone(port);
    gone.send(window({"1", "2"}));
    poll_for(batch, 2);
  }
  Sender next(port);
  bench.poll();
  bench.input->committed(batch);
  EXPECT_EQ(next.answers(), "");
}

TEST_F(BeatsInput, ClosesWhoSendsAFrameTooSlowlyAndSaysSoOnce) {
  Sender slow(port), silent(port), good(port);
  slow.send(window({"1"}).substr(0, 10));
  pass(1);
  pass(40);
  EXPECT_EQ(slow.answers(), "closed");
  EXPECT_EQ(silent.answers(), "");
  ASSERT_THAT(bench.log.troubles, SizeIs(1));
  EXPECT_THAT(bench.log.troubles.begin()->second, HasSubstr("a frame did not end within 30 seconds"));
  EXPECT_EQ(bench.log.counters["connections_broken"], 1);
  pass(30);
  EXPECT_EQ(silent.answers(), "closed");
  EXPECT_EQ(bench.log.counters["connections_open"], 0);
  pass(60);
  EXPECT_THAT(bench.log.troubles, IsEmpty());
}

TEST_F(BeatsInput, TimeInWhichNobodyReadIsNotTheSendersFault) {
  Sender slow(port);
  slow.send(window({"1"}).substr(0, 10));
  pass(2);
  bench.clock.moved_ns += 100'000'000'000;
  bench.poll();
  EXPECT_EQ(slow.answers(), "");
}

TEST_F(BeatsInput, AtTheEndItWaitsForWhatWasGivenOut) {
  Sender sender(port);
  sender.send(window({"1"}));
  event::Batch batch, none;
  poll_for(batch, 1);
  EXPECT_EQ(bench.input->finish(none, 1000).value(), Input::Polled::more);
  bench.input->committed(batch);
  EXPECT_EQ(bench.input->finish(none, 1000).value(), Input::Polled::end);
  EXPECT_EQ(sender.answers(), ack(1));
}

TEST(BeatsOptions, MistakesAreSaid) {
  const auto said = [](const std::vector<std::pair<std::string, std::string>>& settings) {
    Node config;
    config.kind = Node::Kind::map;
    for (const auto& [key, value] : settings) config.members.push_back({key, {}, testing::text_node(value)});
    Diagnostics diagnostics;
    plugin_beats.check(config, diagnostics);
    return diagnostics.text();
  };
  EXPECT_EQ(said({}), "");
  EXPECT_THAT(said({{"port", "70000"}}), HasSubstr("70000 is not between 1 and 65535"));
  EXPECT_THAT(said({{"ssl_enabled", "true"}}), HasSubstr("needs ssl_certificate and ssl_key"));
  EXPECT_THAT(said({{"ssl_key", "k"}}), HasSubstr("ssl_key has no effect"));
  EXPECT_THAT(said({{"ssl_enabled", "true"},
                    {"ssl_certificate", "c"},
                    {"ssl_key", "k"},
                    {"ssl_client_authentication", "required"}}),
              HasSubstr("needs ssl_certificate_authorities"));
  EXPECT_THAT(said({{"ssl_client_authentication", "maybe"}}), HasSubstr("none"));
  EXPECT_THAT(said({{"host", "0.0.0.0"}}), HasSubstr("whoever reaches 0.0.0.0 port 5044 can add events"));
}

}  // namespace
}  // namespace enclave::pipeline
