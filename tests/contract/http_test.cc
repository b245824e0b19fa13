#include "io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "contract/scripted_server.h"

namespace enclave::io {
namespace {

using ::testing::HasSubstr;

HttpOptions plain() {
  HttpOptions options;
  options.plain_http = true;
  return options;
}

Result<HttpResponse> get(const std::string& url, HttpOptions options = plain(), std::uint64_t bytes_max = 1000) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  request.response_bytes_max = bytes_max;
  return HttpClient::make(std::move(options)).value()->send(request);
}

std::string said(int status, std::string_view body, std::string_view headers = "") {
  return ScriptedServer::answer(status, body, headers);
}

TEST(Http, GivesStatusHeadersAndBodyAndSendsThePathAsItIs) {
  ScriptedServer server([](const auto&) { return said(207, "body", "X-Thing:  a b \r\nETag: \"e\"\r\n"); });
  const auto response = get(server.url() + "/a/../b//c/%2e?q=%20").value();
  EXPECT_EQ(response.status, 207);
  EXPECT_EQ(response.body, "body");
  EXPECT_EQ(response.header("x-thing"), "a b");
  EXPECT_EQ(response.header("etag"), "\"e\"");
  EXPECT_EQ(response.header("absent"), "");
  EXPECT_EQ(server.requests().at(0).target, "/a/../b//c/%2e?q=%20");
}

TEST(Http, SendsABodyWithItsLengthAndWithoutExpect) {
  ScriptedServer server([](const auto&) { return said(200, ""); });
  const std::string body(3 << 20, 'x');
  HttpRequest request;
  request.method = "PUT";
  request.url = server.url() + "/k";
  request.headers = {{"x-one", "1"}, {"x-empty", ""}};
  request.body = body;
  ASSERT_TRUE(HttpClient::make(plain()).value()->send(request));
  const auto seen = server.requests().at(0);
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_TRUE(seen.body == body);
  EXPECT_THAT(seen.head, HasSubstr("x-one: 1\r\n"));
  EXPECT_THAT(seen.head, HasSubstr("x-empty:"));
  EXPECT_THAT(seen.head, ::testing::Not(HasSubstr("Expect")));
}

TEST(Http, ARedirectIsAnAnswer) {
  ScriptedServer server([](const auto&) { return said(307, "", "Location: http://127.0.0.1:1/\r\n"); });
  EXPECT_EQ(get(server.url()).value().status, 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Http, AnInterimAnswerIsNotTheAnswer) {
  ScriptedServer server([](const auto&) { return "HTTP/1.1 100 Continue\r\nX-Old: 1\r\n\r\n" + said(200, "b"); });
  const auto response = get(server.url()).value();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("x-old"), "");
}

TEST(Http, AnAnswerThatIsCutShortStallsOrIsNoHttpIsBusy) {
  HttpOptions options = plain();
  options.stalled_after = std::chrono::seconds(1);
  const std::string cut = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nabc";
  const std::string stalled = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
  const std::string garbage = "\x16\x03\x01 Connection: close";
  const std::string headers = "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\n\r\nConnection: close";
  for (const auto& answer : {cut, stalled, garbage, headers, std::string()}) {
    ScriptedServer server([&](const auto&) { return answer; });
    const auto response = get(server.url(), options);
    ASSERT_FALSE(response) << answer.substr(0, 50);
    EXPECT_EQ(response.error().fault(), Fault::busy) << response.error().text();
  }
}

TEST(Http, ABodyOverTheLimitIsNotKeptAndAnErrorIs) {
  const std::string body(2000, 'x');
  ScriptedServer server([&](const auto& request) {
    if (request.target == "/error") return said(500, body);
    if (request.target == "/sized") return said(200, body);
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + body + "\r\n0\r\n\r\n";
  });
  EXPECT_EQ(get(server.url() + "/sized").error().fault(), Fault::limit);
  EXPECT_EQ(get(server.url() + "/chunked").error().fault(), Fault::limit);
  EXPECT_EQ(get(server.url() + "/chunked", plain(), 2000).value().body, body);
  EXPECT_EQ(get(server.url() + "/error").value().body, body);
}

TEST(Http, TakesNoProxyFromTheEnvironment) {
  ScriptedServer server([](const auto&) { return said(200, "direct"); });
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
    ASSERT_EQ(::setenv(name, "http://127.0.0.1:1", 1), 0);
  const auto response = get(server.url());
  for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  ASSERT_TRUE(response) << response.error().text();
  EXPECT_EQ(response->body, "direct");
}

TEST(Http, AKeptConnectionThatTheServerClosedIsReplaced) {
  // Says that it keeps the connection, and does not.
  ScriptedServer server([](const auto&) { return said(200, "", "X-Note: not Connection: close\r\n"); });
  const auto client = HttpClient::make(plain()).value();
  const std::string body(100'000, 'b');
  for (int i = 0; i < 5; ++i) {
    HttpRequest request;
    request.method = "PUT";
    request.url = server.url() + "/k";
    request.body = body;
    const auto response = client->send(request);
    ASSERT_TRUE(response) << response.error().text();
    while (server.closed() <= i) std::this_thread::yield();
  }
  for (const auto& request : server.requests()) EXPECT_TRUE(request.body == body);
}

TEST(Http, PlainHttpAndForeignSchemesAreRefused) {
  ScriptedServer server([](const auto&) { return said(200, ""); });
  EXPECT_EQ(get(server.url(), HttpOptions{}).error().fault(), Fault::unsupported);
  EXPECT_EQ(get("file:///etc/passwd").error().fault(), Fault::unsupported);
  EXPECT_EQ(get("not a url").error().fault(), Fault::invalid);
  EXPECT_TRUE(server.requests().empty());
}

TEST(Http, AHeaderCannotSmuggleAnother) {
  ScriptedServer server([](const auto&) { return said(200, ""); });
  HttpRequest request;
  request.method = "GET";
  request.url = server.url();
  request.headers = {{"x", "1\r\ny: 2"}};
  EXPECT_EQ(HttpClient::make(plain()).value()->send(request).error().fault(), Fault::invalid);
  request.headers.clear();
  request.method = "GET /\r\n";
  EXPECT_EQ(HttpClient::make(plain()).value()->send(request).error().fault(), Fault::invalid);
}

TEST(Http, TellsWhetherTheRequestWasSent) {
  std::string url;
  {
    ScriptedServer server([](const auto&) { return std::string(); });
    url = server.url();
    bool unsent = true;
    HttpRequest request;
    request.method = "GET";
    request.url = url;
    EXPECT_FALSE(HttpClient::make(plain()).value()->send(request, &unsent));
    EXPECT_FALSE(unsent);
  }
  bool unsent = false;
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  const auto refused = HttpClient::make(plain()).value()->send(request, &unsent);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault(), Fault::busy);
  EXPECT_TRUE(unsent);
}

TEST(Http, ManyThreadsShareOneClient) {
  ScriptedServer server([](const auto& request) { return said(200, request.target); });
  const auto client = HttpClient::make(plain()).value();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int me = 0; me < 6; ++me)
    threads.emplace_back([&, me] {
      for (int i = 0; i < 20; ++i) {
        HttpRequest request;
        request.method = "GET";
        request.url = fmt::format("{}/{}/{}", server.url(), me, i);
        const auto response = client->send(request);
        if (response && response->body == fmt::format("/{}/{}", me, i)) ++right;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 120);
}

TEST(Http, ADeleteSaysThatItHasNoBody) {
  ScriptedServer server([](const ScriptedServer::Request&) { return ScriptedServer::answer(204, ""); });
  const auto client = HttpClient::make({.ca_file = "", .plain_http = true, .proxy = ""}).value();
  ASSERT_TRUE(client->send({.method = "DELETE", .url = server.url() + "/k", .headers = {}, .body = {}}));
  EXPECT_NE(server.requests().at(0).head.find("Content-Length: 0\r\n"), std::string::npos);
}

}  // namespace
}  // namespace enclave::io
