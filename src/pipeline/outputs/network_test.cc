// The outputs tcp and udp.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/client_connection.h"
#include "io/listener.h"
#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A listening port that collects what comes.
class Collector {
 public:
  Collector() : listener_(std::move(io::Listener::open({}).value())) {}
  std::uint16_t port() const { return listener_->port(); }
  const std::string& wait_for(std::size_t bytes) {
    for (int i = 0; i < 2000 && received.size() < bytes; ++i) {
      pollfd ready{listener_->descriptor(), POLLIN, 0};
      (void)::poll(&ready, 1, 5);
      const auto now = listener_->ready();
      clients.insert(clients.end(), now.accepted.begin(), now.accepted.end());
      std::array<char, 65536> piece;
      for (const auto id : now.readable)
        if (const auto got = listener_->read(id, piece)) received.append(piece.data(), *got);
    }
    return received;
  }
  void drop_all() {
    for (const auto id : clients) listener_->close(id);
    clients.clear();
  }
  std::string received;
  std::vector<io::Listener::Id> clients;

 private:
  std::unique_ptr<io::Listener> listener_;
};

std::uint16_t free_port() { return Collector().port(); }

TEST(TcpOutput, SendsWhatTheCodecMakesAndGoesOnOverANewConnection) {
  Collector collector;
  OutputBench bench;
  ASSERT_TRUE(bench.start("tcp { host => '127.0.0.1' port => " + std::to_string(collector.port()) +
                          " codec => json_lines reconnect_interval => 1 }"));
  ASSERT_TRUE(bench.send({R"({"n":1})", R"({"n":2})"}));
  EXPECT_EQ(collector.wait_for(16), "{\"n\":1}\n{\"n\":2}\n");
  EXPECT_EQ(bench.settled(), 1U);
  collector.drop_all();
  collector.received.clear();
  ASSERT_TRUE(bench.send({R"({"n":3})"}));
  EXPECT_EQ(collector.wait_for(8), "{\"n\":3}\n");
  EXPECT_THAT(bench.log.troubles(), ElementsAre(HasSubstr("ended the connection")));
}

TEST(TcpOutput, WithoutItsServerItWaitsUntilTheProgramStops) {
  OutputBench bench;
  ASSERT_TRUE(bench.start("tcp { host => '127.0.0.1' port => " + std::to_string(free_port()) + " }"));
  bench.stopping = true;
  const auto sent = bench.send({"{}"});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault(), Fault::busy);
  EXPECT_EQ(bench.settled(false), 0U);
}

TEST(TcpOutput, AServerSendsToAllWhoAreThere) {
  OutputBench bench;
  const std::uint16_t port = free_port();
  ASSERT_TRUE(bench.start("tcp { mode => server host => '127.0.0.1' port => " + std::to_string(port) +
                          " codec => line { format => '%{n}' } }"));
  ASSERT_TRUE(bench.send({R"({"n":0})"}));
  std::vector<io::ClientConnection> clients;
  for (int i = 0; i < 2; ++i) clients.push_back(io::ClientConnection::open({"127.0.0.1", port}, {}).value());
  bench.settled();
  ASSERT_TRUE(bench.send({R"({"n":1})", R"({"n":2})"}));
  for (auto& client : clients) {
    std::string got;
    std::array<char, 100> piece;
    for (int i = 0; i < 400 && got.size() < 4; ++i) {
      pollfd ready{client.descriptor(), POLLIN, 0};
      (void)::poll(&ready, 1, 5);
      const auto bytes = client.read(piece);
      ASSERT_TRUE(bytes);
      got.append(piece.data(), *bytes);
    }
    EXPECT_EQ(got, "1\n2\n");
  }
  clients.clear();
  ASSERT_TRUE(bench.send({R"({"n":3})"}));
  EXPECT_EQ(bench.settled(), 3U);
}

TEST(TcpOutput, OptionsOfTlsAreThoseOfBothVocabularies) {
  OutputBench bench;
  EXPECT_TRUE(bench.make("tcp { host => 'a' port => 1 ssl_enable => true ssl_cacert => '/ca.pem' ssl_verify => true }"))
      << bench.said;
  EXPECT_FALSE(bench.make("tcp { host => 'a' port => 1 mode => server ssl_enabled => true }"));
  EXPECT_THAT(bench.said, HasSubstr("needs ssl_certificate and ssl_key"));
  EXPECT_FALSE(bench.make("tcp { host => 'a' }"));
}

TEST(UdpOutput, SendsADatagramForEachEventAndKeepsWhatFitsNone) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  OutputBench bench;
  ASSERT_TRUE(bench.start("udp { host => '127.0.0.1' port => " + std::to_string(ntohs(address.sin_port)) + " }"));
  ASSERT_TRUE(bench.send({R"({"n":1})", R"({"long":")" + std::string(70'000, 'x') + "\"}", R"({"n":2})"}));
  EXPECT_EQ(bench.settled(), 1U);
  for (const auto* expected : {R"({"n":1})", R"({"n":2})"}) {
    std::array<char, 100> piece;
    const auto got = ::recv(socket, piece.data(), piece.size(), 0);
    EXPECT_EQ(std::string(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))), expected);
  }
  ::close(socket);
  EXPECT_THAT(bench.letters.letters, ElementsAre(HasSubstr("more than fits a datagram")));
}

}  // namespace
}  // namespace enclave::pipeline
