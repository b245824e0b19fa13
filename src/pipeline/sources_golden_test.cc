#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/time.h"
#include "io/system.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/plugin_options.h"
#include "pipeline/source_kit.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;
using logstash::Timezone;

constexpr std::string_view kFolder = ENCLAVE_SOURCE_DIR "/tests/golden/sources";

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// One case of a file, which README.md of that folder describes.
struct Case {
  std::string name, options, ecs = "v8", source, fields, line, events, mistake, warning;
  std::int64_t now_ns = 1'795'462'496'123'000'000;  // 2026-11-23T19:34:56.123Z
};

/// \n, \r, \\ and \xNN, for what a text file cannot hold.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 'x' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
  }
  return out;
}

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::istringstream lines(read_whole(path));
  Case defaults;
  std::string* into = nullptr;
  for (std::string line; std::getline(lines, line);) {
    Case& one = cases.empty() ? defaults : cases.back();
    if (line.starts_with("=== ")) {
      cases.push_back(defaults);
      cases.back().name = line.substr(4);
      into = &cases.back().options;
    } else if (line.starts_with("--- ")) {
      const std::string head = line.substr(4);
      into = head == "options"   ? &one.options
             : head == "line"    ? &one.line
             : head == "fields"  ? &one.fields
             : head == "events"  ? &one.events
             : head == "mistake" ? &one.mistake
             : head == "warning" ? &one.warning
                                 : nullptr;
      if (into != nullptr) into->clear();
      if (head.starts_with("ecs ")) one.ecs = head.substr(4);
      if (head.starts_with("source ")) one.source = head.substr(7);
      if (head.starts_with("now ")) one.now_ns = parse_time(head.substr(4)).value();
    } else if (into != nullptr) {
      *into += line + "\n";
    }
  }
  return cases;
}

std::string_view trimmed(std::string_view text) { return text.substr(0, text.find_last_not_of('\n') + 1); }

const Timezone* zone_of(std::string_view name) {
  static std::map<std::string, Timezone, std::less<>> zones;
  if (name == "localtime") name = "UTC";
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

struct Outcome {
  std::string said;  ///< mistakes and warnings
  bool made = false;
  std::string events;
};

Outcome run(const Case& one) {
  Outcome out;
  logstash::Configuration configuration;
  Diagnostics diagnostics;
  parse_config("input {\n" + one.options + "}\n", "x.conf", {}, configuration, diagnostics);
  const auto* const plugin =
      configuration.inputs.empty() ? nullptr : std::get_if<logstash::Plugin>(&configuration.inputs[0]);
  const logstash::ZoneLookup zones = zone_of;
  FilterWorld world{io::real_files(), zones};
  world.ecs_compatibility = one.ecs;
  std::unique_ptr<Source> source;
  CodecChoice codec;
  for (const SourcePlugin* card : source_plugins()) {
    if (plugin == nullptr || card->name != plugin->name) continue;
    logstash::PluginOptions options(configuration, *plugin, diagnostics);
    codec = CodecChoice(options, card->codec, world);
    source = card->make(options, world);
    options.finish();
    if (options.failed() || !codec) source.reset();
  }
  out.said = diagnostics.text();
  out.made = source != nullptr;
  if (source == nullptr) return out;
  event::Batch batch;
  event::Event reading;
  const std::string line = unescape(trimmed(one.line)), fields(trimmed(one.fields));
  reading.raw = line;
  reading.fields = fields;
  reading.source = batch.source(one.source, "0");
  batch.wall_ns = one.now_ns;
  event::Arena arena;
  FilterRun filter_run{.now_ns = one.now_ns};
  std::vector<event::Document> documents;
  source->make(batch, reading, arena, *codec.make(), filter_run, documents);
  for (const auto& document : documents) {
    append_sorted(document.root(), out.events);
    out.events += '\n';
  }
  const std::string name = "\"" + host_name(io::real_files()) + "\"";
  for (std::size_t at = 0; (at = out.events.find(name, at)) != std::string::npos;)
    out.events.replace(at, name.size(), "\"THIS HOST\"");
  return out;
}

TEST(SourceGolden, EveryCaseBecomesTheEventsThatItsFileSays) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".case") continue;
    for (const Case& one : read_cases(entry.path())) {
      ++cases;
      SCOPED_TRACE(fmt::format("{}: {}", entry.path().filename().string(), one.name));
      const Outcome out = run(one);
      const bool wants_words = !one.mistake.empty() || !one.warning.empty();
      for (const std::string& said : {one.mistake, one.warning})
        EXPECT_NE(out.said.find(trimmed(said)), std::string::npos) << "said:\n" << out.said;
      EXPECT_EQ(out.made, one.mistake.empty()) << out.said;
      EXPECT_EQ(wants_words ? "" : out.said, "");
      EXPECT_EQ(trimmed(out.events), one.mistake.empty() ? trimmed(one.events) : "");
    }
  }
  EXPECT_GE(cases, 80U);
}

}  // namespace
}  // namespace enclave::pipeline
