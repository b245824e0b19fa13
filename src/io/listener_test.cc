#include "io/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

namespace enclave::io {
namespace {

using ::testing::HasSubstr;

class ListenerTest : public ::testing::Test {
 protected:
  void listen(ListenOptions options = {}) { listener_ = Listener::open(options).value(); }

  Descriptor connect() const {
    Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(listener_->port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return socket;
  }
  Listener::Ready wait() {
    pollfd wanted{listener_->descriptor(), POLLIN, 0};
    EXPECT_EQ(::poll(&wanted, 1, 10'000), 1) << "nothing came";
    return listener_->ready();
  }
  bool is_quiet() const {
    pollfd wanted{listener_->descriptor(), POLLIN, 0};
    return ::poll(&wanted, 1, 0) == 0;
  }
  std::string read(Listener::Id id) {
    std::array<char, 100> bytes;
    const auto got = listener_->read(id, bytes);
    return got ? std::string(bytes.data(), *got) : got.error().text();
  }
  static void send(const Descriptor& socket, std::string_view text) {
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TellsOfConnectionsOfWhatTheySendAndOfTheirEnd) {
  listen();
  auto socket = connect();
  const auto ready = wait();
  ASSERT_EQ(ready.accepted.size(), 1U);
  const auto id = ready.accepted[0];
  EXPECT_EQ(listener_->find(id)->address(), "127.0.0.1");
  EXPECT_EQ(read(id), "");
  send(socket, "hello");
  EXPECT_EQ(wait().readable, std::vector{id});
  EXPECT_EQ(read(id), "hello");
  ASSERT_TRUE(listener_->write(id, "welcome"));
  std::array<char, 7> bytes;
  EXPECT_EQ(::recv(socket.get(), bytes.data(), bytes.size(), MSG_WAITALL), 7);
  socket = Descriptor();
  EXPECT_EQ(wait().readable, std::vector{id});
  EXPECT_THAT(read(id), HasSubstr("ended the connection"));
  listener_->close(id);
  EXPECT_EQ(listener_->find(id), nullptr);
  EXPECT_EQ(listener_->size(), 0U);
}

TEST_F(ListenerTest, AConnectionThatIsNotReadFromDoesNotKeepTheLoopBusy) {
  listen();
  const auto socket = connect();
  const auto id = wait().accepted.at(0);
  listener_->set_reading(id, false);
  send(socket, "later");
  EXPECT_TRUE(is_quiet());
  listener_->set_reading(id, true);
  EXPECT_EQ(wait().readable, std::vector{id});
  EXPECT_EQ(read(id), "later");
}

TEST_F(ListenerTest, ClosesWhatIsBeyondTheBound) {
  ListenOptions options;
  options.connections_max = 1;
  listen(options);
  const auto first = connect();
  EXPECT_EQ(wait().accepted.size(), 1U);
  const auto second = connect();
  EXPECT_EQ(wait().refused, 1U);
  char byte;
  EXPECT_LE(::recv(second.get(), &byte, 1, 0), 0);
}

TEST_F(ListenerTest, SaysWhyItCannotListen) {
  listen();
  ListenOptions same;
  same.port = listener_->port();
  auto taken = Listener::open(same);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().fault(), Fault::conflict);
  ListenOptions name;
  name.host = "logs.example.org";
  auto none = Listener::open(name);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), HasSubstr("is not an address to listen on"));
}

TEST_F(ListenerTest, WhoeverDoesNotReadIsFoundOut) {
  listen();
  const auto socket = connect();
  const auto id = wait().accepted.at(0);
  Result<void> written;
  for (int i = 0; i < 10'000 && written; ++i) written = listener_->write(id, std::string(10'000, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault(), Fault::limit);
}

}  // namespace
}  // namespace enclave::io
