#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <random>

#include "pipeline/datagram_server.h"
#include "pipeline/input_bench.h"
#include "pipeline/stream_server.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Framing = StreamFramer::Framing;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return to;
}

/// A sender that this test plays.
class Sender {
 public:
  explicit Sender(std::uint16_t port, int type = SOCK_STREAM) : socket_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    const auto to = loopback(port);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  explicit Sender(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  explicit Sender(io::Descriptor socket) : socket_(std::move(socket)) {}
  Sender& send(std::string_view bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    return *this;
  }
  bool closed() {
    char byte = 0;
    const auto got = ::recv(socket_.get(), &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }

 private:
  io::Descriptor socket_;
};

struct Bench {
  World world{clock, io::real_files(), io::real_random()};
  testing::TestClock clock;
  testing::TestPositions positions;
  testing::TestLog log;
  std::vector<std::string> texts, fields, sources;
  std::vector<std::uint64_t> offsets;

  std::shared_ptr<PeerSources> peers() { return std::make_shared<PeerSources>("tcp", "x", positions); }
  std::unique_ptr<StreamServer> stream(const StreamOptions& options) {
    auto opened = StreamServer::open(options, world, log, peers());
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  void take(const event::Batch& batch) {
    for (const auto& event : batch.events) {
      texts.emplace_back(event.raw);
      fields.emplace_back(event.fields);
      sources.push_back(batch.sources.at(event.source).source);
      offsets.push_back(event.offset);
    }
    for (const auto& range : batch.sources) positions.states[range.source] = range.state;
  }
  void poll(Input& input) {
    event::Batch batch;
    const auto polled = input.poll(batch, 1 << 20);
    EXPECT_TRUE(polled) << polled.error().text();
    take(batch);
  }
  /// Until so many events came.
  void wait(Input& input, std::size_t count) {
    for (int i = 0; i < 10'000 && texts.size() < count; ++i) {
      poll(input);
      if (texts.size() < count) ::usleep(1000);
    }
    EXPECT_EQ(texts.size(), count);
  }
  void wait_until(Input& input, const std::function<bool()>& what) {
    for (int i = 0; i < 10'000 && !what(); ++i) poll(input), ::usleep(1000);
    EXPECT_TRUE(what());
  }
  void pass(Input& input, int seconds) {
    clock.moved_ns += seconds * std::int64_t{1'000'000'000};
    poll(input);
  }
};

TEST(StreamServer, GivesTheLinesOfEachConnectionWithWhereTheyCameFrom) {
  Bench bench;
  const auto server = bench.stream({});
  Sender sender(server->port());
  sender.send("one\r\ntwo\nthr");
  bench.wait(*server, 2);
  sender.send("ee\n\n");
  bench.wait(*server, 4);
  EXPECT_THAT(bench.texts, ElementsAre("one", "two", "three", ""));
  EXPECT_THAT(bench.sources[0], "tcp:127.0.0.1@x");
  const auto peer = peer_of(bench.fields[0]);
  EXPECT_EQ(peer.address, "127.0.0.1");
  EXPECT_GT(peer.port, 0);
}

TEST(StreamServer, TheLastLineNeedsNoEnd) {
  Bench bench;
  const auto server = bench.stream({});
  { Sender(server->port()).send("one\ntwo"); }
  bench.wait(*server, 2);
  EXPECT_THAT(bench.texts, ElementsAre("one", "two"));
  bench.wait_until(*server, [&] { return bench.log.counters["connections_open"] == 0; });
}

TEST(StreamServer, PositionsCountTheEventsOfAnAddressOverRestarts) {
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    const auto server = bench.stream({});
    Sender sender(server->port());
    sender.send("a\nb\n");
    bench.wait(*server, bench.texts.size() + 2);
  }
  EXPECT_THAT(bench.offsets, ElementsAre(0, 1, 2, 3));
}

TEST(StreamServer, ALongLineIsCutAndCounted) {
  Bench bench;
  StreamOptions options;
  options.message_bytes_max = 100;
  const auto server = bench.stream(options);
  Sender sender(server->port());
  sender.send(std::string(200'000, 'x') + "\nnext\n");
  bench.wait(*server, 2);
  EXPECT_THAT(bench.texts, ElementsAre(std::string(100, 'x'), "next"));
  EXPECT_EQ(bench.log.counters["lines_cut"], 1);
}

TEST(StreamServer, CountedMessagesAndLinesMayBeMixed) {
  Bench bench;
  StreamOptions options;
  options.framing = Framing::lines_or_counted;
  const auto server = bench.stream(options);
  Sender sender(server->port());
  sender.send("7 <13>a\nb<13>line\n5 <13>c\n6 <13>de");
  bench.wait(*server, 4);
  EXPECT_THAT(bench.texts, ElementsAre("<13>a\nb", "<13>line", "<13>c", "<13>de"));
}

TEST(StreamServer, ACountThatNobodyCanMeanEndsTheConnection) {
  Bench bench;
  StreamOptions options;
  options.framing = Framing::lines_or_counted;
  const auto server = bench.stream(options);
  Sender bad(server->port()), good(server->port());
  bad.send("999999999 x");
  bench.wait_until(*server, [&] { return bench.log.counters["connections_broken"] == 1; });
  EXPECT_TRUE(bad.closed());
  EXPECT_THAT(bench.log.troubles.begin()->second, HasSubstr("a message of 999999999 bytes was announced"));
  good.send("3 abc");
  bench.wait(*server, 1);
}

TEST(StreamServer, TheLineOfAProxySaysForWhomTheConnectionIs) {
  Bench bench;
  StreamOptions options;
  options.proxy_protocol = true;
  const auto server = bench.stream(options);
  Sender sender(server->port());
  sender.send("PROXY TCP4 192.0.2.7 192.0.2.1 40312 514\r\nhello\n");
  bench.wait(*server, 1);
  EXPECT_THAT(bench.sources, ElementsAre("tcp:192.0.2.7@x"));
  EXPECT_EQ(peer_of(bench.fields[0]).port, 40312);
  EXPECT_EQ(peer_of(bench.fields[0]).proxy_address, "127.0.0.1");
  Sender liar(server->port());
  liar.send("PROXY TCP4 \",\"x\":\" 192.0.2.1 40312 514\r\nhello\n");
  bench.wait_until(*server, [&] { return bench.log.counters["connections_broken"] == 1; });
  EXPECT_THAT(bench.texts, SizeIs(1));
}

TEST(StreamServer, MoreConnectionsThanAllowedAreRefusedAndSilentOnesMakeRoom) {
  Bench bench;
  StreamOptions options;
  options.connections_max = 2;
  const auto server = bench.stream(options);
  Sender one(server->port()), two(server->port()), three(server->port());
  bench.wait_until(*server, [&] { return bench.log.counters["connections_refused"] == 1; });
  EXPECT_EQ(bench.log.counters["connections_open"], 2);
  bench.pass(*server, 301);
  EXPECT_EQ(bench.log.counters["connections_open"], 0);
  Sender four(server->port());
  four.send("x\n");
  bench.wait(*server, 1);
}

TEST(StreamServer, ASilentConnectionIsClosedOnlyWhenThatIsAskedFor) {
  Bench bench;
  StreamOptions options;
  options.idle = std::chrono::seconds(5);
  const auto strict = bench.stream(options);
  const auto patient = bench.stream({});
  Sender one(strict->port()), other(patient->port());
  bench.wait_until(*strict, [&] { return bench.log.counters["connections_open"] == 1; });
  bench.wait_until(*patient, [&] { return bench.log.counters["connections_open"] == 2; });
  bench.pass(*strict, 6);
  bench.pass(*patient, 100'000);
  EXPECT_TRUE(one.closed());
  EXPECT_FALSE(other.closed());
}

TEST(StreamServer, MayListenInTheFileSystemAndLeavesNothingThere) {
  Bench bench;
  const testing::TempDirectory directory;
  StreamOptions options;
  options.unix_path = directory / "a.sock";
  {
    const auto server = bench.stream(options);
    Sender sender(options.unix_path);
    sender.send("hello\n");
    bench.wait(*server, 1);
    EXPECT_EQ(bench.fields[0], "");
    EXPECT_FALSE(StreamServer::open(options, bench.world, bench.log, bench.peers()));
  }
  EXPECT_FALSE(std::filesystem::exists(options.unix_path));
  testing::append(options.unix_path, "a file of somebody's");
  options.unlink_first = true;
  EXPECT_FALSE(StreamServer::open(options, bench.world, bench.log, bench.peers()));
  EXPECT_TRUE(std::filesystem::exists(options.unix_path));
}

TEST(StreamServer, MayMakeTheConnectionItselfAndMakesItAgain) {
  Bench bench;
  io::Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t bytes = sizeof address;
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  StreamOptions options;
  options.connects = true;
  options.port = ntohs(address.sin_port);
  const auto client = bench.stream(options);
  bench.wait_until(*client, [&] { return !bench.log.troubles.empty(); });
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  for (int i = 0; i < 2; ++i) {
    bench.wait_until(*client, [&] { return bench.log.counters["connections_open"] == 0; });
    bench.pass(*client, 6);
    Sender server(io::Descriptor(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    server.send("hello\n");
    bench.wait(*client, static_cast<std::size_t>(i) + 1);
  }
  EXPECT_EQ(bench.sources[0], "tcp:127.0.0.1@x");
}

TEST(StreamServer, AtTheEndWhatWasBegunIsGivenOut) {
  Bench bench;
  const auto server = bench.stream({});
  Sender sender(server->port());
  sender.send("one\nhalf");
  bench.wait(*server, 1);
  event::Batch batch;
  EXPECT_EQ(server->finish(batch, 1 << 20).value(), Input::Polled::end);
  bench.take(batch);
  EXPECT_THAT(bench.texts, ElementsAre("one", "half"));
}

TEST(DatagramServer, EachDatagramIsAMessage) {
  Bench bench;
  DatagramOptions options;
  options.message_bytes_max = 5;
  auto opened = DatagramServer::open(options, bench.world, bench.log, bench.peers());
  ASSERT_TRUE(opened);
  Sender sender((*opened)->port(), SOCK_DGRAM);
  sender.send("one").send("two\nx").send("a long one").send("");
  bench.wait(**opened, 4);
  EXPECT_THAT(bench.texts, ElementsAre("one", "two\nx", "a lon", ""));
  EXPECT_EQ(bench.log.counters["lines_cut"], 1);
  EXPECT_EQ(peer_of(bench.fields[0]).address, "127.0.0.1");
  EXPECT_EQ(bench.sources[3], "tcp:127.0.0.1@x");
}

TEST(PeerSources, ManyAddressesShareOneSource) {
  Bench bench;
  PeerSources peers("udp", "514", bench.positions);
  for (int i = 0; i < 4096; ++i) (void)peers.of(std::to_string(i));
  EXPECT_EQ(peers.of("192.0.2.7").source, "udp:others@514");
  EXPECT_EQ(peers.of("17").source, "udp:17@514");
}

std::vector<std::string> frame(std::string_view bytes, Framing framing, std::size_t piece_bytes,
                               const std::string& delimiter = "\n") {
  StreamFramer framer(framing, 20, delimiter);
  event::Batch batch;
  std::vector<StreamFramer::Message> messages;
  std::string error;
  for (std::size_t at = 0; at < bytes.size() && error.empty(); at += piece_bytes) {
    const auto fed = framer.feed(batch.store(bytes.substr(at, piece_bytes)), batch, messages, 20);
    if (!fed) error = fed.error().text();
  }
  if (error.empty()) framer.finish(batch, messages);
  std::vector<std::string> texts;
  for (const auto& message : messages)
    texts.push_back(fmt::format("{} {} {}", message.bytes, message.cut_bytes, static_cast<int>(message.eol)));
  texts.push_back(error);
  return texts;
}

TEST(StreamFramer, HoweverTheBytesComeTheMessagesAreTheSame) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (auto i = random() % 60; i > 0; --i) bytes += "\n\r 123ab<>"[random() % 10];
    for (const auto framing : {Framing::lines, Framing::lines_or_counted}) {
      const auto whole = frame(bytes, framing, 1000);
      for (const std::size_t piece : {1, 2, 7}) ASSERT_EQ(frame(bytes, framing, piece), whole) << "seed " << seed;
    }
  }
}

TEST(StreamFramer, AnyTextEndsLinesHoweverTheBytesCome) {
  EXPECT_EQ(frame("one||two|x||\n|", Framing::lines, 1000, "||"),
            (std::vector<std::string>{"one 0 0", "two|x 0 0", "\n| 0 2", ""}));
  EXPECT_EQ(frame("a;b\r\n;", Framing::lines, 1, ";"), (std::vector<std::string>{"a 0 0", "b\r\n 0 0", ""}));
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (auto i = random() % 80; i > 0; --i) bytes += "|a\n||b"[random() % 6];
    for (const std::string delimiter : {"||", "|a|", "|"}) {
      const auto whole = frame(bytes, Framing::lines, 1000, delimiter);
      for (const std::size_t piece : {1, 2, 7})
        ASSERT_EQ(frame(bytes, Framing::lines, piece, delimiter), whole) << "seed " << seed << ": " << bytes;
    }
  }
}

}  // namespace
}  // namespace enclave::pipeline
