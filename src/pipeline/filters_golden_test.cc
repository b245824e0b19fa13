#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/time.h"
#include "io/system.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;
using logstash::Timezone;

constexpr std::string_view kFolder = ENCLAVE_SOURCE_DIR "/tests/golden/filters";

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// One case of a file, which README.md of that folder describes.
struct Case {
  struct Section {
    std::string head, text;
  };
  std::string name;
  std::vector<Section> sections;
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::istringstream lines(read_whole(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), {{"options", ""}}});
    } else if (cases.empty()) {
      continue;
    } else if (line.starts_with("--- ")) {
      cases.back().sections.push_back({line.substr(4), ""});
    } else {
      cases.back().sections.back().text += line + "\n";
    }
  }
  return cases;
}

const Timezone* zone_of(std::string_view name) {
  static std::map<std::string, Timezone, std::less<>> zones;
  if (const auto found = zones.find(name); found != zones.end()) return &found->second;
  auto zone = Timezone::from_offset_name(name);
  if (!zone && logstash::is_zone_name(name))
    zone = Timezone::from_tzif(read_whole("/usr/share/zoneinfo/" + std::string(name)), std::string(name));
  return zone ? &zones.emplace(name, std::move(*zone)).first->second : nullptr;
}

/// As JSON, with the names of maps in order.
void append_sorted(const Value& value, std::string& out) {
  std::vector<std::string> parts;
  if (value.is(Kind::map)) {
    for (const event::Member& member : value.members()) {
      std::string part;
      append_json(Value::of(member.name), part);
      part += ':';
      append_sorted(member.value, part);
      parts.push_back(std::move(part));
    }
    std::ranges::sort(parts);
  } else if (value.is(Kind::list)) {
    for (const Value& item : value.items()) append_sorted(item, parts.emplace_back());
  } else {
    return append_json(value, out);
  }
  out += fmt::format("{}{}{}", value.is(Kind::map) ? '{' : '[', fmt::join(parts, ","), value.is(Kind::map) ? '}' : ']');
}

class Bench {
 public:
  /// What is wrong with the case, or "".
  std::string run(const Case& one) {
    std::string ecs = "v8", problem;
    std::vector<std::string> events;
    bool compared = false;
    for (const Case::Section& section : one.sections) {
      if (section.head.starts_with("ecs ")) ecs = section.head.substr(4);
      if (section.head.starts_with("now ")) run_.now_ns = parse_time(section.head.substr(4)).value_or(0);
    }
    for (const Case::Section& section : one.sections) {
      if (section.head == "options") {
        make(section.text, ecs);
      } else if (section.head == "event") {
        events.push_back(section.text);
      } else if (section.head == "mistake" || section.head == "warning") {
        compared = true;
        std::string text = section.text.substr(0, section.text.find_last_not_of('\n') + 1);
        if (mistakes_.find(text) == std::string::npos) problem += "said:\n" + mistakes_;
      } else if (section.head == "success" || section.head == "failure") {
        compared = true;
        if (events.empty()) return "no event before its outcome";
        problem += compare(events.back(), section);
      }
    }
    return compared ? problem : "nothing is compared";
  }

 private:
  void make(std::string text, const std::string& ecs) {
    for (std::size_t at = 0; (at = text.find("FILES", at)) != std::string::npos;)
      text.replace(at, 5, std::string(kFolder) + "/files");
    logstash::Configuration configuration;
    Diagnostics diagnostics;
    parse_config("filter {\n" + text + "}\n", "x.conf", {}, configuration, diagnostics);
    const auto* const plugin =
        configuration.filters.empty() ? nullptr : std::get_if<logstash::Plugin>(&configuration.filters[0]);
    if (plugin == nullptr) {
      mistakes_ = "no filter: " + diagnostics.text();
      return;
    }
    for (const FilterPlugin* card : filter_plugins()) {
      if (card->name != plugin->name) continue;
      logstash::PluginOptions options(configuration, *plugin, diagnostics);
      world_.ecs_compatibility = ecs;
      filter_ = card->make(options, world_);
      options.finish();
      if (options.failed()) filter_.reset();
    }
    mistakes_ = diagnostics.text();
  }

  std::string compare(const std::string& input, const Case::Section& expected) {
    if (filter_ == nullptr) return "no filter was made:\n" + mistakes_;
    const auto root = run_.json.read(input, arena_);
    const auto wanted = run_.json.read(expected.text, arena_);
    if (!root || !wanted)
      return (root ? "the expectation: " + wanted.error().text() : "the event: " + root.error().text());
    event::Document document(arena_, *root);
    Value* const time = document.find(event::kTimeField);
    if (time != nullptr && time->is(Kind::text)) *time = Value::time(parse_time(time->text()).value_or(0));
    const bool success = filter_->apply(document, run_);
    std::string got, want;
    append_sorted(document.root(), got);
    append_sorted(*wanted, want);
    std::string problem;
    if (success != (expected.head == "success")) problem += success ? "it succeeded\n" : "it failed\n";
    if (got != want) problem += "got      " + got + "\nexpected " + want + "\n";
    return problem;
  }

  Files& files_ = io::real_files();
  logstash::ZoneLookup zones_ = zone_of;
  FilterWorld world_{files_, zones_};
  event::Arena arena_;
  FilterRun run_{.now_ns = 1'795'462'496'123'456'789};  // 2026-11-23T19:34:56.123456789Z
  std::unique_ptr<Filter> filter_;
  std::string mistakes_;
};

TEST(FilterGolden, EveryCaseDoesToItsEventWhatItsFileSays) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".case") continue;
    for (const Case& one : read_cases(entry.path())) {
      ++cases;
      Bench bench;
      const std::string problem = bench.run(one);
      EXPECT_EQ(problem, "") << "in " << entry.path().filename() << ": " << one.name;
    }
  }
  EXPECT_GE(cases, 150U);
}

}  // namespace
}  // namespace enclave::pipeline
