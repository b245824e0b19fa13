#include <gmock/gmock.h>

#include "pipeline/filebeat/flow_plan.h"
#include "pipeline/input_bench.h"

namespace enclave::pipeline::filebeat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FilebeatFlow : public ::testing::Test {
 protected:
  /// PLACE in the text is this test's folder.
  void run(std::string yaml) {
    for (std::size_t at = 0; (at = yaml.find("PLACE", at)) != std::string::npos;) yaml.replace(at, 5, directory.path());
    Diagnostics diagnostics;
    const Config config = parse_filebeat(yaml, "f.yml", {7, {}}, diagnostics);
    const logstash::ZoneLookup zones = [](std::string_view) { return nullptr; };
    const FlowWorld world{io::real_files(), zones, {"host-1", "", "id-1", "run-1"}};
    auto plan = make_flow(config, world, diagnostics);
    ASSERT_NE(plan, nullptr) << diagnostics.text();
    auto flow = Flow::open(std::move(*plan), {.world = {io::real_clock(), io::real_files(), io::real_random()},
                                              .state_directory = directory / "state",
                                              .once = true});
    ASSERT_TRUE(flow) << flow.error().text();
    const auto end = (*flow)->run();
    ASSERT_TRUE(end) << end.error().text();
    EXPECT_EQ(*end, FlowEnd::all_delivered);
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> out;
    std::ifstream in(directory / "out/events");
    event::JsonReader json;
    event::Arena arena;
    for (std::string line; std::getline(in, line);) {
      const auto read = json.read(line, arena);
      EXPECT_TRUE(read) << line;
      if (read && read->find("message") != nullptr) out.emplace_back(read->find("message")->text());
    }
    return out;
  }

  testing::TempDirectory directory;
};

constexpr char kConfig[] = R"(
filebeat.inputs:
- type: log
  paths: [PLACE/logs/*.log]
  multiline: {pattern: '^ ', match: after}
  exclude_lines: ['^DBG']
processors:
- drop_event: {when: {contains: {message: noise}}}
output.file: {path: PLACE/out, filename: events, rotate_on_startup: false}
)";

TEST_F(FilebeatFlow, ReadsJoinsLeavesOutAndWritesAndGoesOnWhereItStood) {
  std::filesystem::create_directories(directory / "logs");
  testing::append(directory / "logs/a.log", "one\n two\nDBG x\nnoise\nthree\n");
  run(kConfig);
  EXPECT_THAT(messages(), ElementsAre("one\n two", "three"));
  testing::append(directory / "logs/a.log", "four\n");
  run(kConfig);
  EXPECT_THAT(messages(), ElementsAre("one\n two", "three", "four"));
}

TEST_F(FilebeatFlow, SaysWhatIsNotOfferedAtItsPlace) {
  const auto said = [](const std::string& yaml) {
    Diagnostics diagnostics;
    const Config config = parse_filebeat(yaml, "f.yml", {8, {}}, diagnostics);
    const logstash::ZoneLookup zones = [](std::string_view) { return nullptr; };
    const FlowWorld world{io::real_files(), zones, {}};
    EXPECT_EQ(make_flow(config, world, diagnostics), nullptr);
    return diagnostics.text();
  };
  EXPECT_THAT(said("output.logstash: {hosts: [a], proxy_url: 'socks5://p:1'}\n"), HasSubstr("a proxy is not offered"));
  EXPECT_THAT(said("output.logstash: {hosts: ['a:x']}\n"), HasSubstr("\"a:x\" is no host and port"));
  EXPECT_THAT(said("output.logstash: {hosts: [a], ssl: {certificate: c, key: k, key_passphrase: s}}\n"),
              HasSubstr("keys with a passphrase are not offered"));
  EXPECT_THAT(said("filebeat.inputs:\n- {type: log, paths: [/a], include_lines: ['(']}\n"),
              HasSubstr("f.yml:2:3: include_lines: (: not a regular expression"));
}

TEST_F(FilebeatFlow, WithoutAnOutputThePlanHasNone) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat("filebeat.inputs:\n- {type: log, paths: [/a]}\n", "f.yml", {8, {}}, diagnostics);
  const logstash::ZoneLookup zones = [](std::string_view) { return nullptr; };
  const FlowWorld world{io::real_files(), zones, {}};
  const auto plan = make_flow(config, world, diagnostics);
  ASSERT_NE(plan, nullptr) << diagnostics.text();
  EXPECT_THAT(plan->outputs, IsEmpty());
  EXPECT_EQ(plan->sources.size(), 1U);
}

TEST_F(FilebeatFlow, EachOutputOfFilebeatIsOneOfOurs) {
  for (const auto* output :
       {"logstash: {hosts: ['a:5044', b], loadbalance: true, worker: 2}", "console: {pretty: true}",
        "elasticsearch: {hosts: ['a', 'http://b:9201'], username: u, password: p, index: 'x-%{[agent.version]}'}",
        "file: {path: /tmp/x}"}) {
    Diagnostics diagnostics;
    const Config config = parse_filebeat(fmt::format("output.{}\n", output), "f.yml", {8, {}}, diagnostics);
    const logstash::ZoneLookup zones = [](std::string_view) { return nullptr; };
    const FlowWorld world{io::real_files(), zones, {}};
    const auto plan = make_flow(config, world, diagnostics);
    ASSERT_NE(plan, nullptr) << output << "\n" << diagnostics.text();
    EXPECT_EQ(plan->outputs.size(), 1U) << output;
  }
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
