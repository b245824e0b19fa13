#include <gmock/gmock.h>

#include "pipeline/output_bench.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A codec as `codec => …` writes it.
class CodecBench {
 public:
  explicit CodecBench(const std::string& codec) : written_("x { codec => " + codec + " }") {
    logstash::PluginOptions options(written_.configuration, *written_.found, written_.diagnostics);
    choice = CodecChoice(options, "plain", world_);
    said = written_.diagnostics.text();
    if (choice) codec_ = choice.make();
  }
  std::string encoded(const std::string& json) {
    const auto root = run_.json.read(json, arena_);
    Document event(arena_, root.value());
    if (auto* const time = event.find(event::kTimeField); time != nullptr && time->is(event::Kind::text))
      *time = event::Value::time(parse_time(time->text()).value());
    std::string out;
    codec_->encode(event, run_, out);
    return out;
  }
  std::vector<std::string> decoded(std::string_view payload) {
    std::vector<Document> events;
    codec_->decode(arena_.store(payload), arena_, run_, events);
    std::vector<std::string> all;
    for (const auto& event : events) append_json(event.root(), all.emplace_back());
    return all;
  }

  CodecChoice choice;
  std::string said;

 private:
  Written written_;
  logstash::ZoneLookup zones_ = no_zone;
  FilterWorld world_{io::real_files(), zones_};
  event::Arena arena_;
  FilterRun run_{.now_ns = 1'795'462'496'123'456'789};
  std::unique_ptr<Codec> codec_;
};

constexpr const char* kEvent =
    R"({"@timestamp":"2026-11-23T09:26:33.123Z","host":{"name":"web1"},"message":"hi","@metadata":{"a":1}})";

TEST(Codecs, PlainAndLinePrintTimeHostAndMessageUnlessThereIsAFormat) {
  EXPECT_EQ(CodecBench("plain").encoded(kEvent), "2026-11-23T09:26:33.123Z {name=web1} hi");
  EXPECT_EQ(CodecBench("line").encoded(kEvent), "2026-11-23T09:26:33.123Z {name=web1} hi\n");
  EXPECT_EQ(CodecBench("plain").encoded("{}"), "%{host} %{message}");
  EXPECT_EQ(CodecBench(R"(plain { format => "%{[host][name]}: %{message}" })").encoded(kEvent), "web1: hi");
  EXPECT_EQ(CodecBench(R"(line { format => "%{message}" delimiter => "; " })").encoded(kEvent), "hi; ");
}

TEST(Codecs, LineTakesAPayloadApartAndKeepsEmptyLines) {
  EXPECT_THAT(CodecBench("line").decoded("a\n\nb\n"),
              ElementsAre(R"({"message":"a"})", R"({"message":""})", R"({"message":"b"})"));
  EXPECT_THAT(CodecBench("line").decoded(""), ElementsAre(R"({"message":""})"));
  EXPECT_THAT(CodecBench("plain").decoded("a\nb"), ElementsAre(R"({"message":"a\nb"})"));
}

TEST(Codecs, OtherCharacterSetsBecomeUtf8AndWhatIsNoneOfThemIsMarked) {
  EXPECT_THAT(CodecBench("plain { charset => 'ISO-8859-1' }").decoded("caf\xe9"),
              ElementsAre("{\"message\":\"café\"}"));
  EXPECT_THAT(CodecBench("line { charset => 'Windows-1252' }").decoded("\x80 5\n"),
              ElementsAre("{\"message\":\"€ 5\"}"));
  EXPECT_THAT(CodecBench("plain { charset => 'UTF-16LE' }").decoded(std::string_view("a\0\xac\x20", 4)),
              ElementsAre("{\"message\":\"a€\"}"));
  EXPECT_THAT(CodecBench("plain { charset => 'UTF-16LE' }").decoded(std::string_view("a\0b", 3)),
              ElementsAre("{\"message\":\"a\xef\xbf\xbd\"}"));
  EXPECT_THAT(CodecBench("plain { charset => 'US-ASCII' }").decoded("a\xe9z"),
              ElementsAre("{\"message\":\"a\xef\xbf\xbdz\"}"));
  EXPECT_THAT(CodecBench("plain { charset => 'Klingon' }").said, HasSubstr("there is no character set \"Klingon\""));
  EXPECT_FALSE(CodecBench("plain { charset => 'UTF-8//IGNORE' }").choice);
  EXPECT_THAT(CodecBench("json { charset => 'ISO-8859-1' }").decoded("{\"a\":\"\xe9\"}"), ElementsAre("{\"a\":\"é\"}"));
}

TEST(Codecs, JsonGivesAnEventForEachObjectAndLosesNothingThatIsNone) {
  EXPECT_THAT(CodecBench("json").decoded(R"({"a":1})"), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(CodecBench("json").decoded(R"([{"a":1},{"a":2}])"), ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_THAT(CodecBench("json").decoded("not json"),
              ElementsAre(R"({"message":"not json","tags":["_jsonparsefailure"]})"));
  EXPECT_THAT(CodecBench("json").decoded("  "), ElementsAre());
  EXPECT_THAT(CodecBench("json").decoded("7"), ElementsAre(R"({"message":"7","tags":["_jsonparsefailure"]})"));
  EXPECT_THAT(CodecBench("json { target => '[a][b]' }").decoded(R"({"c":1})"), ElementsAre(R"({"a":{"b":{"c":1}}})"));
  EXPECT_THAT(CodecBench("json").decoded(R"({"@timestamp":"2026-01-02T03:04:05.678Z"})"),
              ElementsAre(R"({"@timestamp":"2026-01-02T03:04:05.678Z"})"));
  EXPECT_THAT(
      CodecBench("json").decoded(R"({"@timestamp":"soon"})"),
      ElementsAre(
          R"({"@timestamp":"2026-11-23T19:34:56.123Z","_@timestamp":"soon","tags":["_timestampparsefailure"]})"));
  EXPECT_EQ(CodecBench("json").encoded(kEvent),
            R"({"@timestamp":"2026-11-23T09:26:33.123Z","host":{"name":"web1"},"message":"hi"})");
}

TEST(Codecs, JsonLinesReadsALineAfterTheOther) {
  EXPECT_THAT(CodecBench("json_lines").decoded("{\"a\":1}\n\nx\n{\"a\":2}"),
              ElementsAre(R"({"a":1})", R"({"message":"x","tags":["_jsonparsefailure"]})", R"({"a":2})"));
  EXPECT_EQ(CodecBench("json_lines { delimiter => '|' }").encoded(R"({"a":1})"), R"({"a":1}|)");
}

TEST(Codecs, RubydebugLooksLikeAwesomePrint) {
  const std::string json =
      R"({"message":"say \"hi\"\n#{x} é","@timestamp":"2026-11-23T09:26:33.123Z","n":null,"f":1.0,"big":1e20,)"
      R"("tags":["a","b"],"host":{"name":"web1","ip":["::1"]},"none":{},"nothing":[],"@metadata":{"m":true}})";
  const std::string expected = R"({
       "message" => "say \"hi\"\n\#{x} é",
    "@timestamp" => 2026-11-23T09:26:33.123Z,
             "n" => nil,
             "f" => 1.0,
           "big" => 1e+20,
          "tags" => [
        [0] "a",
        [1] "b"
    ],
          "host" => {
        "name" => "web1",
          "ip" => [
            [0] "::1"
        ]
    },
          "none" => {},
       "nothing" => []
}
)";
  std::string wanted = expected;
  wanted.replace(wanted.find("1e+20"), 5, "1.0e+20");
  EXPECT_EQ(CodecBench("rubydebug").encoded(json), wanted);
  EXPECT_THAT(CodecBench("rubydebug { metadata => true }").encoded(kEvent),
              HasSubstr("     \"@metadata\" => {\n        \"a\" => 1\n    }\n}\n"));
}

TEST(Codecs, DotsAreDots) { EXPECT_EQ(CodecBench("dots").encoded(kEvent), "."); }

TEST(Codecs, MultilineExpandsGroksNamesAndSaysWhichLinesBelongTogether) {
  const CodecBench bench(
      R"(multiline { pattern => "^%{TIMESTAMP_ISO8601} " negate => true what => "previous" max_lines => 7
         max_bytes => "1 MiB" auto_flush_interval => 2 multiline_tag => "joined" })");
  ASSERT_TRUE(bench.choice) << bench.said;
  ASSERT_TRUE(bench.choice.multiline());
  const MultilineRule& rule = *bench.choice.multiline();
  EXPECT_TRUE(rule.negate);
  EXPECT_TRUE(rule.after);
  EXPECT_EQ(rule.lines_max, 7U);
  EXPECT_EQ(rule.bytes_max, 1U << 20);
  EXPECT_EQ(rule.timeout, std::chrono::seconds(2));
  EXPECT_EQ(rule.tag, "joined");
  const auto pattern = Regex::compile(rule.pattern);
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->search("2026-11-23T09:26:33.123Z started"), Regex::Outcome::yes);
  EXPECT_EQ(pattern->search("    at Main.java:7"), Regex::Outcome::no);
  EXPECT_THAT(CodecBench("multiline { pattern => '%{NOPE}' what => 'next' }").said, HasSubstr("NOPE"));
  EXPECT_THAT(CodecBench("multiline { pattern => '(' what => 'next' }").said, HasSubstr("pattern"));
  EXPECT_FALSE(CodecBench("multiline { pattern => 'x' }").choice);
}

TEST(Codecs, CefReadsHeadAndExtensionsWithTheirEscapes) {
  EXPECT_THAT(
      CodecBench("cef").decoded(R"(<13>Nov 23 host CEF:0|Acme|Fire\|wall|1.0|100|a \\ b|10|src=10.0.0.1 spt=443 )"
                                R"(msg=a\=b c\nd request=http://x/?q=1&r=2 rt=1795462496123 cs1=v cs1Label=l own=1 )"),
      ElementsAre(R"({"cef":{"version":"0","name":"a \\ b","device_custom_string_1":{"value":"v","label":"l"}},)"
                  R"("observer":{"vendor":"Acme","product":"Fire|wall","version":"1.0"},)"
                  R"("event":{"code":"100","severity":"10"},"source":{"ip":"10.0.0.1","port":"443"},)"
                  R"("message":"a=b c\nd","url":{"original":"http://x/?q=1&r=2"},)"
                  R"("@timestamp":"2026-11-23T19:34:56.123Z","own":"1",)"
                  R"("log":{"syslog":{"header":"<13>Nov 23 host"}}})"));
  EXPECT_THAT(CodecBench("cef { ecs_compatibility => disabled }").decoded("CEF:0|v|p|1|2|n|3|dst=1.2.3.4 act="),
              ElementsAre(R"({"cefVersion":"0","deviceVendor":"v","deviceProduct":"p","deviceVersion":"1",)"
                          R"("deviceEventClassId":"2","name":"n","severity":"3","destinationAddress":"1.2.3.4",)"
                          R"("deviceAction":""})"));
  for (const auto* text : {"no cef", "CEF:0|too|short", "CEF:0|v|p|1|2|n\\", "", "CEF:0|v|p|1|2|n|\\|"})
    EXPECT_THAT(CodecBench("cef").decoded(text), ElementsAre(HasSubstr("_cefparsefailure"))) << text;
}

TEST(Codecs, CefWritesWhatItReads) {
  const std::string json = R"({"message":"a=b|c\\d\ne","source":{"ip":"::1"},"x y":"1","vendor":"A|B\n"})";
  CodecBench bench(
      "cef { vendor => '%{vendor}' fields => ['message', '[source][ip]', 'x y', 'none'] reverse_mapping => "
      "true delimiter => '|END|' }");
  const std::string written = bench.encoded(json);
  EXPECT_EQ(written, "CEF:0|A\\|B |Logstash|1.0|Logstash|Logstash|6|msg=a\\=b|c\\\\d\\ne src=::1 xy=1|END|");
  const auto read = bench.decoded(written);
  EXPECT_THAT(read, ElementsAre(HasSubstr(R"("message":"a=b|c\\d\ne","source":{"ip":"::1"},"xy":"1"})")));
}

TEST(Codecs, AnUnknownOneIsAMistakeThatNamesTheNearest) {
  EXPECT_THAT(CodecBench("jsonlines").said, HasSubstr("did you mean \"json_lines\"?"));
  EXPECT_THAT(CodecBench("line { fromat => 'x' }").said, HasSubstr("did you mean \"format\"?"));
}

}  // namespace
}  // namespace enclave::pipeline
