#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/time.h"
#include "pipeline/logstash/config_files.h"
#include "pipeline/logstash/date_pattern.h"
#include "pipeline/logstash/field_reference.h"
#include "pipeline/logstash/lint.h"
#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/printer.h"
#include "pipeline/logstash/text_reference.h"

namespace enclave::pipeline::logstash {
namespace {

/// A file of tests/golden/logstash: what it shows, which part of the language, the input and what comes of it.
struct Case {
  std::string head, kind, input, expected;
};

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Case read_case(const std::filesystem::path& path) {
  constexpr std::string_view kInput = "--- input\n", kExpected = "\n--- expected\n", kKind = "# kind: ";
  const std::string text = read_whole(path);
  const std::size_t input = text.find(kInput), expected = text.rfind(kExpected), kind = text.find(kKind);
  if (input == std::string::npos || expected == std::string::npos || kind == std::string::npos) return {};
  Case out;
  out.head = text.substr(0, input);
  out.kind = text.substr(kind + kKind.size(), text.find('\n', kind) - kind - kKind.size());
  const std::size_t begin = input + kInput.size();
  out.input = text.substr(begin, std::max(begin, expected) - begin);
  out.expected = text.substr(expected + kExpected.size());
  return out;
}

std::string evaluate_config(const std::string& input) {
  Configuration configuration;
  Diagnostics diagnostics;
  parse_config(input, "x.conf", {}, configuration, diagnostics);
  return diagnostics.text() + to_text(configuration);
}

/// One reference a line.
std::string evaluate_field(const std::string& input) {
  std::string out;
  std::istringstream lines(input);
  for (std::string line; std::getline(lines, line);) {
    const auto field = FieldReference::parse(line);
    if (!field) {
      out += field.error().text() + "\n";
      continue;
    }
    for (const auto& segment : field->segments())
      out += fmt::format("<{}>{}", segment.name, segment.is_index ? fmt::format("#{}", segment.index) : "");
    out += field->in_metadata() ? " metadata\n" : "\n";
  }
  return out;
}

constexpr std::int64_t kNow = 1'795'462'496'123'456'789;  // 2026-11-23T19:34:56.123456789Z

/// A text, shown as the event of kNow gives it; [known] is its only field.
std::string evaluate_text(const std::string& input) {
  const auto text = TextReference::compile(input);
  if (!text) return text.error().text() + "\n";
  std::string out;
  text->append(
      kNow, kNow,
      [](const TextReference::Part& part, std::string& to) {
        const bool known = part.field->text() == "[known]";
        if (known) to += "VALUE";
        return known;
      },
      out);
  return out + "\n";
}

const Timezone* zone_of(std::string_view name) {
  static std::map<std::string, Timezone, std::less<>> zones;
  const auto found = zones.find(name);
  if (found != zones.end()) return &found->second;
  const std::string bytes = read_whole("/usr/share/zoneinfo/" + std::string(name));
  auto zone = bytes.empty() ? Timezone::from_offset_name(name) : Timezone::from_tzif(bytes, std::string(name));
  return zone ? &zones.emplace(name, std::move(*zone)).first->second : nullptr;
}

/// The pattern, and then in each line "print TIME", "read TEXT" or "zone NAME", which is for the lines after it.
std::string evaluate_date(const std::string& input, DatePattern::Language language) {
  std::istringstream lines(input);
  std::string line, out;
  std::getline(lines, line);
  const auto pattern = DatePattern::compile(line, language);
  if (!pattern) return pattern.error().text() + "\n";
  const Timezone* zone = zone_of("UTC");
  const ZoneLookup lookup = zone_of;
  while (std::getline(lines, line)) {
    const std::string word = line.substr(0, line.find(' '));
    const std::string rest = line.substr(std::min(word.size() + 1, line.size()));
    if (word == "zone") zone = zone_of(rest);
    if (zone == nullptr) return out + "no such zone\n";
    if (word == "print") {
      const auto time = parse_time(rest);
      if (!time) return out + time.error().text() + "\n";
      pattern->append(*time, *zone, out);
      out += '\n';
    }
    if (word != "read") continue;
    const auto read = pattern->parse(rest, {*zone, kNow, 2026, &lookup});
    if (!read) {
      out += !read.error().impossible ? fmt::format("does not fit at byte {}\n", read.error().at) : "no such time\n";
      continue;
    }
    out += fmt::format("{}{}{}\n", format_time(read->wall_ns), read->has_year ? "" : " without a year",
                       read->has_zone ? " with a zone" : "");
  }
  return out;
}

std::string evaluate_lint(const std::string& input) {
  Configuration configuration;
  Diagnostics diagnostics;
  parse_config(input, "x.conf", {}, configuration, diagnostics);
  return diagnostics.text() + to_text(configuration, lint(configuration)) +
         to_text(configuration, lint_file(configuration, 0, input, true));
}

/// $KNOWN is in both places, $SECRET in the keystore, $PLAIN in the environment.
const Variables kVariables = {[](std::string_view name) -> std::optional<std::string> {
                                if (name == "KNOWN" || name == "SECRET") return "from the keystore";
                                return std::nullopt;
                              },
                              [](std::string_view name) -> std::optional<std::string> {
                                if (name == "PLAIN" || name == "KNOWN") return "from the environment";
                                return std::nullopt;
                              }};

std::string evaluate_variables(const std::string& input) {
  std::string out;
  std::istringstream lines(input);
  for (std::string line; std::getline(lines, line);) {
    const auto text = substitute(line, kVariables);
    out += (text ? *text : "mistake: " + text.error().text()) + "\n";
  }
  return out;
}

std::string show(const PipelineSettings& one) {
  return fmt::format(
      "{} path={} string={} workers={} batch={}/{} ordered={} ecs={} escapes={}/{} reload={}/{} queue={}/{} "
      "dead={}/{}{}\n",
      one.id, one.config_path, one.config_string, one.workers, one.batch_size, format_duration(one.batch_delay),
      one.ordered, one.ecs_compatibility, one.support_escapes, one.escape_style, one.reload,
      format_duration(one.reload_interval), one.queue_type, format_bytes(one.queue_bytes_max), one.dead_letters,
      format_bytes(one.dead_letter_bytes_max), one.enabled ? "" : " off");
}

std::string evaluate_settings(const std::string& input) {
  Diagnostics diagnostics;
  const Settings settings = parse_settings(input, "logstash.yml", kVariables, diagnostics);
  return diagnostics.text() +
         fmt::format("data={} logs={} level={} node={} api={}:{}\n", settings.data_path, settings.logs_path,
                     settings.log_level, settings.node_name, settings.api_host, settings.api_port) +
         show(settings.defaults);
}

std::string evaluate_pipelines(const std::string& input) {
  Diagnostics diagnostics;
  std::string out;
  for (const auto& one : parse_pipelines(input, "pipelines.yml", {}, kVariables, diagnostics)) out += show(one);
  return diagnostics.text() + out;
}

std::string evaluate(const Case& one) {
  if (one.kind == "lint") return evaluate_lint(one.input);
  if (one.kind == "variables") return evaluate_variables(one.input);
  if (one.kind == "settings") return evaluate_settings(one.input);
  if (one.kind == "pipelines") return evaluate_pipelines(one.input);
  if (one.kind == "config") return evaluate_config(one.input);
  if (one.kind == "field") return evaluate_field(one.input);
  if (one.kind == "text") return evaluate_text(one.input);
  if (one.kind == "joda") return evaluate_date(one.input, DatePattern::Language::joda);
  if (one.kind == "java") return evaluate_date(one.input, DatePattern::Language::java);
  return "no such kind of case\n";
}

TEST(LogstashGolden, EveryCaseComesToWhatItsFileSays) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/logstash")) {
    if (entry.path().extension() != ".case") continue;
    ++cases;
    const Case one = read_case(entry.path());
    EXPECT_EQ(evaluate(one), one.expected) << "in " << entry.path();
  }
  EXPECT_GE(cases, 150U);
}

}  // namespace
}  // namespace enclave::pipeline::logstash
