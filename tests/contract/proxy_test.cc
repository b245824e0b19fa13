// Proxies that answer themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/scripted_server.h"
#include "io/http.h"

namespace enclave::io {
namespace {

using ::testing::HasSubstr;

Result<HttpResponse> get_through(const ScriptedServer& proxy, bool* unsent = nullptr) {
  HttpOptions options;
  options.proxy = proxy.url();
  HttpRequest request;
  request.method = "GET";
  request.url = "https://objects.example/bucket";
  return HttpClient::make(std::move(options)).value()->send(request, unsent);
}

TEST(Proxy, OneThatDoesNotConnectIsToldInItsOwnWordsAndGotNothing) {
  const std::vector<std::tuple<int, Fault, std::string_view>> cases = {
      {302, Fault::busy, "captive portal"},  {511, Fault::busy, "captive portal"},
      {403, Fault::denied, "forbids"},       {407, Fault::denied, "user and a password"},
      {404, Fault::busy, "proxy's address"}, {503, Fault::busy, "may not reach the server"}};
  for (const auto& [status, fault, words] : cases) {
    ScriptedServer proxy([status = status](const ScriptedServer::Request&) {
      return ScriptedServer::answer(status, "<html>Please log in</html>", "Location: http://portal.example/\r\n");
    });
    bool unsent = false;
    const auto answer = get_through(proxy, &unsent);
    ASSERT_FALSE(answer) << status;
    EXPECT_EQ(answer.error().fault(), fault) << answer.error().text();
    EXPECT_THAT(answer.error().text(), HasSubstr(fmt::format("the proxy answered {} itself", status)));
    EXPECT_THAT(answer.error().text(), HasSubstr(words));
    EXPECT_TRUE(unsent);
    ASSERT_EQ(proxy.requests().size(), 1U);
    EXPECT_EQ(proxy.requests()[0].method, "CONNECT");
    EXPECT_EQ(proxy.requests()[0].target, "objects.example:443");
  }
}

TEST(Proxy, OneThatSaysConnectedAndIsItselfBehindItIsFoundOut) {
  ScriptedServer proxy([](const ScriptedServer::Request&) {
    return std::string("HTTP/1.1 200 Connected\r\n\r\n<html>Please log in</html> Connection: close");
  });
  const auto answer = get_through(proxy);
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().text(), HasSubstr("captive portal"));
  ASSERT_EQ(proxy.requests().size(), 1U);
}

TEST(Proxy, OneThatIsNotThereIsNotTakenForAServerWithoutThatPort) {
  HttpOptions options;
  {
    ScriptedServer gone([](const ScriptedServer::Request&) { return std::string(); });
    options.proxy = gone.url();
  }
  HttpRequest request;
  request.method = "GET";
  request.url = "https://objects.example/";
  const auto through = HttpClient::make(options).value()->send(request);
  ASSERT_FALSE(through);
  EXPECT_EQ(through.error().text().find(kNothingListens), std::string::npos);
  options.plain_http = true;
  request.url = std::exchange(options.proxy, "");
  const auto direct = HttpClient::make(options).value()->send(request);
  ASSERT_FALSE(direct);
  EXPECT_THAT(direct.error().text(), HasSubstr(kNothingListens));
}

}  // namespace
}  // namespace enclave::io
