#include "io/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/posix.h"
#include "io/system.h"

namespace enclave::io {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// A client that this test plays.
class Client {
 public:
  Client(HttpServer& server, std::string_view bytes)
      : server_(server), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  HttpServerRequest request() {
    std::vector<HttpServerRequest> found;
    for (int i = 0; i < 5000 && found.empty(); ++i) {
      found = server_.take();
      if (found.empty()) ::usleep(1000);
    }
    EXPECT_THAT(found, SizeIs(1));
    return found.empty() ? HttpServerRequest{} : found[0];
  }
  std::string answer() {
    std::string all(4000, '\0');
    for (int i = 0; i < 5000; ++i) {
      EXPECT_THAT(server_.take(), SizeIs(0));
      const auto got = ::recv(socket_.get(), all.data(), all.size(), MSG_DONTWAIT);
      if (got > 0) return all.substr(0, static_cast<std::size_t>(got));
      ::usleep(1000);
    }
    return "none";
  }

 private:
  HttpServer& server_;
  Descriptor socket_;
};

std::unique_ptr<HttpServer> open(const HttpServerOptions& options) {
  auto opened = HttpServer::open(options, real_files());
  EXPECT_TRUE(opened) << opened.error().text();
  return std::move(*opened);
}

TEST(HttpServer, GivesARequestAndSendsItsAnswerWhenThereIsOne) {
  const auto server = open({});
  Client client(*server, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Own: y\r\n\r\nhello");
  const auto request = client.request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.address, "127.0.0.1");
  EXPECT_THAT(request.headers, ::testing::Contains(std::pair<std::string, std::string>("X-Own", "y")));
  server->respond(request.id, 201, {{"X-Mine", "z"}}, "ok");
  const auto answer = client.answer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(answer, HasSubstr("X-Mine: z\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nok"));
}

TEST(HttpServer, ABodyThatIsTooLargeIsRefused) {
  HttpServerOptions options;
  options.body_bytes_max = 10;
  const auto server = open(options);
  Client told(*server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
  EXPECT_THAT(told.answer(), StartsWith("HTTP/1.1 413"));
  Client untold(*server,
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello hello\r\n0\r\n\r\n");
  EXPECT_THAT(untold.answer(), StartsWith("HTTP/1.1 413"));
}

TEST(HttpServer, WhoDoesNotProveWhoHeIsIsRefused) {
  HttpServerOptions options;
  options.authorization = "Basic dTpw";
  const auto server = open(options);
  Client none(*server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_THAT(none.answer(), StartsWith("HTTP/1.1 401"));
  Client wrong(*server, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dTpx\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_THAT(wrong.answer(), StartsWith("HTTP/1.1 401"));
  Client good(*server, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dTpw\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(good.request().body, "x");
}

TEST(HttpServer, WhatIsNoHttpHarmsNobody) {
  const auto server = open({});
  Client bad(*server, std::string("\x16\x03\x01\x00\r\n\r\n", 8) + std::string(100, 'x'));
  Client good(*server, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\ny");
  EXPECT_EQ(good.request().body, "y");
}

TEST(HttpServer, ATakenPortIsSaid) {
  const auto server = open({});
  HttpServerOptions same;
  same.port = server->port();
  const auto second = HttpServer::open(same, real_files());
  ASSERT_FALSE(second);
}

TEST(HttpServer, RequestsWithoutAnAnswerDoNotHinderTheEnd) {
  auto server = open({});
  Client client(*server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(client.request().body, "x");
  server.reset();
}

}  // namespace
}  // namespace enclave::io
