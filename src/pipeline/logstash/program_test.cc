#include "pipeline/logstash/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "io/system.h"
#include "pipeline/logstash/parser.h"

namespace enclave::pipeline::logstash {
namespace {

/// A file of tests/golden/pipelines: a configuration, events as lines of JSON, and what becomes of each: lines of JSON,
/// or the mistakes. A line "=" in both parts closes what belongs to one event.
struct Case {
  std::string config, events, expected;
};

Case read_case(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  constexpr std::string_view kConfig = "--- config\n", kEvents = "--- events\n", kExpected = "--- expected\n";
  const auto config = text.find(kConfig), events = text.find(kEvents), expected = text.find(kExpected);
  EXPECT_TRUE(config != std::string::npos && events != std::string::npos && expected != std::string::npos) << path;
  if (expected == std::string::npos) return {};
  return {text.substr(config + kConfig.size(), events - config - kConfig.size()),
          text.substr(events + kEvents.size(), expected - events - kEvents.size()),
          text.substr(expected + kExpected.size())};
}

/// The same event with its names in order, so that expectations need not know who added what first.
void sort_names(const event::Value& value) {
  if (value.is(event::Kind::list))
    for (const auto& item : value.items()) sort_names(item);
  if (!value.is(event::Kind::map)) return;
  std::ranges::sort(value.members(), {}, &event::Member::name);
  for (const auto& member : value.members()) sort_names(member.value);
}

std::string outcome_of(const Case& one) {
  Configuration configuration;
  Diagnostics diagnostics;
  parse_config(one.config, "x.conf", {}, configuration, diagnostics);
  const ZoneLookup no_zones;
  Files& files = io::real_files();
  const FilterWorld world{files, no_zones, "disabled"};
  const auto program = diagnostics.has_errors() ? nullptr : Program::compile(configuration, world, diagnostics);
  if (!program) return diagnostics.text();
  event::Arena arena;
  FilterRun run;
  run.now_ns = 1'795'426'793'123'456'789;
  std::vector<event::Document> events;
  std::istringstream lines(one.events);
  std::uint32_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto root = run.json.read(line, arena);
    EXPECT_TRUE(root) << line << ": " << root.error().text();
    if (!root) return {};
    event::Document event(arena, *root);
    event.reading = number++;
    event.set_wall_ns(1'234'567'890'123'000'000 + event.reading * 1'000'000'000LL);
    events.push_back(event);
  }
  program->run(events, run);
  std::string out = diagnostics.text();
  for (auto& event : events) {
    event.erase("@timestamp");
    sort_names(event.root());
    append_json(event, out);
    out += '\n';
  }
  return out;
}

TEST(Program, DoesWhatTheGoldenCasesSay) {
  std::size_t cases = 0;
  for (const auto& file : std::filesystem::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/pipelines")) {
    const Case one = read_case(file.path());
    EXPECT_EQ(outcome_of(one), one.expected) << file.path();
    cases += static_cast<std::size_t>(std::ranges::count(one.events, '\n'));
  }
  EXPECT_GE(cases, 60U);
}

TEST(Program, CountsWhatEachFilterDid) {
  Configuration configuration;
  Diagnostics diagnostics;
  parse_config(R"(filter { if [a] { drop { id => "d" } } else { clone { clones => ["x", "y"] } } })", "x.conf", {},
               configuration, diagnostics);
  const ZoneLookup no_zones;
  Files& files = io::real_files();
  const FilterWorld world{files, no_zones, "disabled"};
  const auto program = Program::compile(configuration, world, diagnostics);
  ASSERT_TRUE(program) << diagnostics.text();
  event::Arena arena;
  FilterRun run;
  std::vector<event::Document> events(3, event::Document(arena));
  for (auto& event : events) event = event::Document(arena);
  events[1].set("a", event::Value::of(true));
  std::vector<std::string> seen;
  program->watch([&](const Program::Passed& passed, const event::Document&) { seen.push_back(passed.plugin.name); });
  program->run(events, run);
  EXPECT_EQ(events.size(), 6U);
  const auto counts = program->counts();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].name, "d");
  EXPECT_EQ(counts[0].in, 1U);
  EXPECT_EQ(counts[0].dropped, 1U);
  EXPECT_EQ(counts[1].name, "clone at x.conf:1");
  EXPECT_EQ(counts[1].in, 2U);
  EXPECT_EQ(counts[1].made, 4U);
  EXPECT_EQ(seen, (std::vector<std::string>{"drop", "clone", "clone"}));
}

}  // namespace
}  // namespace enclave::pipeline::logstash
