// Outputs that speak HTTP, against a server that says what the test tells it to.
#include <gmock/gmock.h>
#include <zlib.h>

#include "contract/scripted_server.h"
#include "pipeline/output_bench.h"

namespace enclave::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using Request = ScriptedServer::Request;

std::string ok(std::string_view body = "") { return ScriptedServer::answer(200, body); }

/// A server, and an output to it: URL in the plugin's text stands for the server's.
struct WebBench : OutputBench {
  explicit WebBench(ScriptedServer::Script script) : server(std::move(script)) {}
  bool begin(std::string plugin) {
    for (std::size_t at = 0; (at = plugin.find("URL", at)) != std::string::npos;) plugin.replace(at, 3, server.url());
    return start(plugin);
  }
  std::vector<std::string> bodies() {
    std::vector<std::string> all;
    for (const auto& request : server.requests()) all.push_back(request.body);
    return all;
  }
  ScriptedServer server;
};

TEST(HttpOutput, SendsAnEventPerRequestWithWhatTheOptionsSay) {
  WebBench bench([](const Request&) { return ok(); });
  ASSERT_TRUE(bench.begin(R"(http { url => "URL/in/%{app}?x=1" http_method => put user => "u" password => "p:w"
      headers => { "X-Host" => "%{host}" } mapping => { "text" => "%{message}" "n" => "1" } })"));
  ASSERT_TRUE(bench.send({R"({"app":"a b","host":"h\r\nX-Evil: 1","message":"hi \"you\""})"}));
  const auto requests = bench.server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].target, "/in/a%20b?x=1");
  EXPECT_EQ(requests[0].body, R"({"text":"hi \"you\"","n":"1"})");
  EXPECT_THAT(requests[0].head, HasSubstr("X-Host: h  X-Evil: 1\r\n"));
  EXPECT_THAT(requests[0].head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(requests[0].head, HasSubstr("Authorization: Basic dTpwOnc=\r\n"));
  EXPECT_EQ(bench.settled(), 1U);
}

TEST(HttpOutput, FormatsAreJsonABatchAFormOrAText) {
  const std::vector<std::string> events = {R"({"a":"1 é","b":2})", R"({"a":"3"})"};
  const auto sent = [&](const std::string& options) {
    WebBench bench([](const Request&) { return ok(); });
    EXPECT_TRUE(bench.begin("http { url => 'URL/' http_method => post " + options + " }"));
    EXPECT_TRUE(bench.send(events));
    return bench.bodies();
  };
  EXPECT_THAT(sent("format => json"), UnorderedElementsAre(R"({"a":"1 é","b":2})", R"({"a":"3"})"));
  EXPECT_THAT(sent("format => json_batch"), ElementsAre(R"([{"a":"1 é","b":2},{"a":"3"}])"));
  EXPECT_THAT(sent("format => form"), UnorderedElementsAre("a=1+%C3%A9&b=2", "a=3"));
  EXPECT_THAT(sent("format => message message => '<%{a}>'"), UnorderedElementsAre("<1 é>", "<3>"));
}

TEST(HttpOutput, ABusyServerIsAskedAgainAndARefusalGoesToTheDeadLetters) {
  std::atomic<int> asked{0};
  WebBench bench([&](const Request& request) {
    if (request.body.find("bad") != std::string::npos) return ScriptedServer::answer(422, "no such thing");
    if (request.body.find("skip") != std::string::npos) return ScriptedServer::answer(409, "");
    return ++asked == 1 ? ScriptedServer::answer(503, "later") : ok();
  });
  ASSERT_TRUE(bench.begin("http { url => 'URL/' http_method => post ignorable_codes => [409] }"));
  ASSERT_TRUE(bench.send({R"({"m":"good"})", R"({"m":"bad"})", R"({"m":"skip"})"}));
  EXPECT_EQ(asked, 2);
  EXPECT_THAT(bench.letters.letters, ElementsAre(HasSubstr(R"(answered 422: no such thing|{"m":"bad"})")));
  EXPECT_THAT(bench.log.troubles(), ElementsAre(HasSubstr("answered 503: later")));
}

TEST(HttpOutput, AStopEndsTheWaitingAndNothingCountsAsDelivered) {
  WebBench bench([](const Request&) { return ScriptedServer::answer(503, ""); });
  ASSERT_TRUE(bench.begin("http { url => 'URL/' http_method => post }"));
  bench.stopping = true;
  const auto sent = bench.send({"{}"});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault(), Fault::busy);
  EXPECT_EQ(bench.settled(false), 0U);
}

TEST(HttpOutput, AHostThatEventsChooseIsWarnedOf) {
  OutputBench bench;
  EXPECT_TRUE(bench.make("http { url => 'https://%{host}/x' http_method => post }"));
  EXPECT_THAT(bench.said, HasSubstr("decides which host"));
  EXPECT_TRUE(bench.make("http { url => 'https://a/%{host}' http_method => post }"));
  EXPECT_EQ(bench.said, "");
  EXPECT_FALSE(bench.make("http { url => 'ftp://a/' http_method => post }"));
  EXPECT_FALSE(bench.make("http { url => 'https://a/' http_method => post ssl_enabled => false }"));
}

/// The answer of _bulk: a status for each action, by what the lines hold.
std::string bulk_answer(const std::string& body, const std::function<std::string(const std::string& lines)>& judge) {
  std::string items;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t first = body.find('\n', at);
    const bool erase = body.compare(at, 10, "{\"delete\":") == 0;
    const std::size_t end = erase ? first : body.find('\n', first + 1);
    const std::string lines = body.substr(at, end - at);
    const std::string action = lines.substr(2, lines.find('"', 2) - 2);
    items += (items.empty() ? "{\"" : ",{\"") + action + "\":" + judge(lines) + "}";
    at = end + 1;
  }
  return ok(R"({"took":1,"errors":false,"items":[)" + items + "]}");
}
std::string all_good(const Request& request) {
  return bulk_answer(request.body, [](const std::string&) { return R"({"status":201})"; });
}

constexpr const char* kEvent = R"({"@timestamp":"2026-11-23T09:26:33.123Z","message":"hi","app":"x"})";

TEST(ElasticsearchOutput, ADataStreamIsTheDefaultAndTheEventMayNameItsParts) {
  WebBench bench(all_good);
  ASSERT_TRUE(bench.begin("elasticsearch { hosts => ['URL'] }"));
  ASSERT_TRUE(bench.send({kEvent, R"({"m":1,"data_stream":{"dataset":"nginx","namespace":"prod"}})"}));
  ASSERT_EQ(bench.bodies().size(), 1U);
  EXPECT_EQ(bench.bodies()[0],
            R"({"create":{"_index":"logs-generic-default"}})"
            "\n"
            R"({"@timestamp":"2026-11-23T09:26:33.123Z","message":"hi","app":"x","data_stream":{"type":"logs",)"
            R"("dataset":"generic","namespace":"default"}})"
            "\n"
            R"({"create":{"_index":"logs-nginx-prod"}})"
            "\n"
            R"({"m":1,"data_stream":{"type":"logs","dataset":"nginx","namespace":"prod"}})"
            "\n");
  const auto request = bench.server.requests()[0];
  EXPECT_THAT(request.target, HasSubstr("/_bulk?filter_path=errors,items.*.status"));
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/x-ndjson"));
  EXPECT_EQ(bench.settled(), 1U);
}

TEST(ElasticsearchOutput, IndexActionIdRoutingAndPipelineComeFromTheEvent) {
  WebBench bench(all_good);
  ASSERT_TRUE(bench.begin(R"(elasticsearch { hosts => 'URL' index => "app-%{app}-%{+YYYY.MM.dd}" action => "%{do}"
      document_id => "%{id}" routing => "r" pipeline => "p" doc_as_upsert => true user => u password => p })"));
  ASSERT_TRUE(bench.send({R"({"@timestamp":"2026-11-23T09:26:33Z","do":"index","id":"1\"","app":"x"})",
                          R"({"@timestamp":"2026-11-23T09:26:33Z","do":"delete","id":"2","app":"x"})",
                          R"({"@timestamp":"2026-11-23T09:26:33Z","do":"update","id":"3","app":"x"})",
                          R"({"@timestamp":"2026-11-23T09:26:33Z","do":"explode","id":"4","app":"x"})"}));
  EXPECT_THAT(bench.bodies(),
              ElementsAre(R"({"index":{"_index":"app-x-2026.11.23","_id":"1\"","routing":"r","pipeline":"p"}})"
                          "\n"
                          R"({"@timestamp":"2026-11-23T09:26:33.000Z","do":"index","id":"1\"","app":"x"})"
                          "\n"
                          R"({"delete":{"_index":"app-x-2026.11.23","_id":"2","routing":"r"}})"
                          "\n"
                          R"({"update":{"_index":"app-x-2026.11.23","_id":"3","routing":"r","retry_on_conflict":1}})"
                          "\n"
                          R"({"doc":{"@timestamp":"2026-11-23T09:26:33.000Z","do":"update","id":"3","app":"x"},)"
                          R"("doc_as_upsert":true})"
                          "\n"));
  EXPECT_THAT(bench.letters.letters, ElementsAre(HasSubstr("there is no action \"explode\"|")));
  EXPECT_THAT(bench.server.requests()[0].head, HasSubstr("Authorization: Basic dTpw\r\n"));
}

TEST(ElasticsearchOutput, EachEventIsDoneSentAgainOrADeadLetterAsTheServerSaysOfIt) {
  std::atomic<int> round{0};
  WebBench bench([&](const Request& request) {
    ++round;
    return bulk_answer(request.body, [&](const std::string& lines) -> std::string {
      if (lines.find("busy") != lines.npos && round < 3)
        return R"({"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue is full"}})";
      if (lines.find("blocked") != lines.npos && round < 2)
        return R"({"status":403,"error":{"type":"cluster_block_exception","reason":"disk"}})";
      if (lines.find("bad") != lines.npos)
        return R"({"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n]"}})";
      if (lines.find("twice") != lines.npos)
        return R"({"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}})";
      return R"({"status":201})";
    });
  });
  ASSERT_TRUE(bench.begin("elasticsearch { hosts => 'URL' index => i action => create retry_initial_interval => 0 }"));
  ASSERT_TRUE(
      bench.send({R"({"m":"fine"})", R"({"m":"busy"})", R"({"m":"bad"})", R"({"m":"twice"})", R"({"m":"blocked"})"}));
  ASSERT_EQ(bench.bodies().size(), 3U);
  EXPECT_EQ(
      bench.bodies()[1],
      "{\"create\":{\"_index\":\"i\"}}\n{\"m\":\"busy\"}\n{\"create\":{\"_index\":\"i\"}}\n{\"m\":\"blocked\"}\n");
  EXPECT_EQ(bench.bodies()[2], "{\"create\":{\"_index\":\"i\"}}\n{\"m\":\"busy\"}\n");
  EXPECT_THAT(bench.letters.letters,
              ElementsAre(R"(elasticsearch|400 mapper_parsing_exception: failed to parse field [n]|{"m":"bad"})"));
  EXPECT_EQ(bench.log.counted("events_in_conflict"), 1);
  EXPECT_EQ(bench.settled(), 1U);
}

TEST(ElasticsearchOutput, AnAnswerThatIsNoneCutShortOrOfAnotherLengthIsAskedForAgain) {
  std::atomic<int> asked{0};
  WebBench bench([&](const Request& request) -> std::string {
    switch (++asked) {
      case 1:
        return ok("<html>");
      case 2:
        return ok(R"({"items":[{"index":{"status":201}}]})");
      case 3:
        return "";
      case 4:
        return ScriptedServer::answer(503, "starting");
      case 5:
        return ok(R"({"items":[1,null]})");
      default:
        return all_good(request);
    }
  });
  ASSERT_TRUE(bench.begin("elasticsearch { hosts => 'URL' index => i retry_initial_interval => 0 }"));
  ASSERT_TRUE(bench.send({R"({"m":1})", R"({"m":2})"}));
  EXPECT_GE(asked, 6);
  EXPECT_THAT(bench.letters.letters, IsEmpty());
}

TEST(ElasticsearchOutput, WhatIsTooLargeTogetherIsSentInHalvesAndOneThatIsTooLargeAloneIsADeadLetter) {
  WebBench bench([](const Request& request) {
    return request.body.size() > 200 ? ScriptedServer::answer(413, "too large") : all_good(request);
  });
  ASSERT_TRUE(bench.begin("elasticsearch { hosts => 'URL' index => i }"));
  std::vector<std::string> events;
  for (int i = 0; i < 20; ++i) events.push_back(R"({"n":)" + std::to_string(i) + "}");
  events.push_back(R"({"long":")" + std::string(300, 'x') + "\"}");
  ASSERT_TRUE(bench.send(events));
  std::size_t documents = 0;
  for (const auto& body : bench.bodies())
    if (body.size() <= 200) documents += static_cast<std::size_t>(std::ranges::count(body, '\n')) / 2;
  EXPECT_EQ(documents, 20U);
  EXPECT_THAT(bench.letters.letters, ElementsAre(HasSubstr("elasticsearch|413 too large|{\"long\"")));
}

TEST(ElasticsearchOutput, AnotherHostIsAskedWhenOneIsAway) {
  WebBench bench(all_good);
  ASSERT_TRUE(
      bench.begin("elasticsearch { hosts => ['http://127.0.0.1:9', 'URL'] index => i retry_initial_interval => 0 }"));
  ASSERT_TRUE(bench.send({"{}"}));
  EXPECT_EQ(bench.bodies().size(), 1U);
  EXPECT_THAT(bench.log.troubles(), ElementsAre(HasSubstr("nothing listens there")));
}

TEST(ElasticsearchOutput, RequestsArePackedWhenAskedTo) {
  WebBench bench([](const Request&) { return ok(R"({"items":[{"create":{"status":201}}]})"); });
  ASSERT_TRUE(bench.begin("elasticsearch { hosts => 'URL' compression_level => 6 }"));
  ASSERT_TRUE(bench.send({kEvent}));
  EXPECT_THAT(bench.server.requests()[0].head, HasSubstr("Content-Encoding: gzip"));
  EXPECT_TRUE(bench.bodies()[0].starts_with("\x1f\x8b"));
}

TEST(ElasticsearchOutput, WhatIsNotOfferedIsRefusedWithTheWayRound) {
  OutputBench bench;
  EXPECT_FALSE(bench.make("elasticsearch { cloud_id => 'x:y' }"));
  EXPECT_THAT(bench.said, HasSubstr("give hosts =>"));
  EXPECT_FALSE(bench.make("elasticsearch { script => 'x' }"));
  EXPECT_FALSE(bench.make("elasticsearch { hosts => ['http://a', 'https://b'] }"));
  EXPECT_FALSE(bench.make("elasticsearch { data_stream => true index => 'x' }"));
  EXPECT_FALSE(bench.make("elasticsearch { data_stream_dataset => 'x' index => 'x' }"));
  EXPECT_FALSE(bench.make("elasticsearch { action => 'update' }"));
  EXPECT_TRUE(
      bench.make("elasticsearch { hosts => 'es.example' index => 'x' document_type => 'doc' manage_template => "
                 "false cacert => '/ca.pem' ssl => true user => a password => b }"))
      << bench.said;
  EXPECT_THAT(bench.said, HasSubstr("know no types"));
}

TEST(OpensearchOutput, WritesToADailyIndexUnlessToldOtherwise) {
  WebBench bench(all_good);
  ASSERT_TRUE(
      bench.begin("opensearch { hosts => 'URL' auth_type => { type => 'basic' user => 'u' password => 'p' } }"));
  ASSERT_TRUE(bench.send({kEvent}));
  EXPECT_THAT(bench.bodies(), ElementsAre(HasSubstr(R"({"index":{"_index":"ecs-logstash-2026.11.23"}})")));
  EXPECT_THAT(bench.server.requests()[0].head, HasSubstr("Authorization: Basic dTpw"));
}

}  // namespace
}  // namespace enclave::pipeline
