#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time.h"
#include "pipeline/filebeat/filebeat.h"
#include "pipeline/filebeat/registry_import.h"

namespace enclave::pipeline::filebeat {
namespace {

/// A file of tests/golden/filebeat: what it shows, how the input is read, the input and what comes of it.
struct Case {
  std::string kind, input, expected;
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
  out.kind = text.substr(kind + kKind.size(), text.find('\n', kind) - kind - kKind.size());
  const std::size_t begin = input + kInput.size();
  out.input = text.substr(begin, std::max(begin, expected) - begin) + "\n";
  out.expected = text.substr(expected + kExpected.size());
  return out;
}

std::optional<std::string> known_variable(std::string_view name) {
  if (name == "HOST") return "logs.example";
  if (name == "HOSTS") return "a:5044, b:5044";
  if (name == "NUMBER") return "7";
  return std::nullopt;
}

std::string evaluate_config(const std::string& input, std::optional<int> compat, bool all) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat(input, "f.yml", {compat, known_variable}, diagnostics);
  return diagnostics.text() + to_json(config, all);
}

/// Only what is wrong.
std::string evaluate_check(const std::string& input) {
  Diagnostics diagnostics;
  parse_filebeat(input, "f.yml", {{}, known_variable}, diagnostics);
  return diagnostics.text();
}

/// With each LF turned to CR LF.
std::string with_crlf(const std::string& input) {
  std::string out;
  for (const char c : input) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

std::string evaluate_crlf(const std::string& input) {
  Diagnostics diagnostics;
  const std::string text = with_crlf(input);
  const Config config = parse_filebeat(text, "f.yml", {{}, known_variable}, diagnostics);
  lint_file(text, "f.yml", false, diagnostics);
  return diagnostics.text() + to_json(config, false);
}

std::string evaluate_lint(const std::string& input) {
  Diagnostics diagnostics;
  lint_file(input, "f.yml", true, diagnostics);
  return diagnostics.text();
}

std::string show_node(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.scalar;
  std::string out;
  for (const auto& item : node.items) out += (out.empty() ? "" : ", ") + item.scalar;
  if (node.kind == Node::Kind::list) return "[" + out + "]";
  for (const auto& member : node.members) out += "  " + member.key + ": " + show_node(member.value) + "\n";
  return out;
}

std::string evaluate_convert(const std::string& input) {
  Diagnostics diagnostics;
  const Config config = parse_filebeat(input, "f.yml", {{}, known_variable}, diagnostics);
  std::string out;
  for (const auto& one : config.inputs) {
    const Node node = to_enclave_input(one, diagnostics);
    out += node.kind == Node::Kind::null ? "nothing\n" : "input\n" + show_node(node);
  }
  return diagnostics.text() + out;
}

std::string show_import(const Result<RegistryImport>& import) {
  if (!import) return import.error().text() + "\n";
  std::string out;
  for (const auto& one : import->entries)
    out += fmt::format("{} inode={} device={} offset={} time={} ttl={} type={} by={}\n", one.source, one.inode,
                       one.device, one.offset, one.timestamp_ns ? format_time(*one.timestamp_ns) : "none", one.ttl_ns,
                       one.type, one.identifier_name);
  return out + fmt::format("damaged={} others={}\n", import->damaged, import->others);
}

/// A checkpoint, a line "== ID", and the log.
std::string evaluate_registry_log(const std::string& input) {
  const std::size_t mark = input.find("== ");
  const std::size_t end = input.find('\n', mark);
  const std::uint64_t id = std::stoull(input.substr(mark + 3, end - mark - 3));
  return show_import(parse_registry_log(input.substr(0, mark), id, std::string_view(input).substr(end + 1)));
}

std::string evaluate(const Case& one) {
  if (one.kind == "config") return evaluate_config(one.input, std::nullopt, false);
  if (one.kind == "config 6") return evaluate_config(one.input, 6, false);
  if (one.kind == "config 7") return evaluate_config(one.input, 7, false);
  if (one.kind == "config 8") return evaluate_config(one.input, 8, false);
  if (one.kind == "all 6") return evaluate_config(one.input, 6, true);
  if (one.kind == "all 7") return evaluate_config(one.input, 7, true);
  if (one.kind == "all 8") return evaluate_config(one.input, 8, true);
  if (one.kind == "check") return evaluate_check(one.input);
  if (one.kind == "crlf") return evaluate_crlf(one.input);
  if (one.kind == "lint") return evaluate_lint(one.input);
  if (one.kind == "convert") return evaluate_convert(one.input);
  if (one.kind == "registry") return show_import(parse_registry_array(one.input));
  if (one.kind == "registry log") return evaluate_registry_log(one.input);
  return "no such kind of case\n";
}

TEST(FilebeatGolden, EveryCaseComesToWhatItsFileSays) {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(ENCLAVE_SOURCE_DIR "/tests/golden/filebeat")) {
    if (entry.path().extension() != ".case") continue;
    ++cases;
    const Case one = read_case(entry.path());
    EXPECT_EQ(evaluate(one), one.expected) << "in " << entry.path();
  }
  EXPECT_GE(cases, 90U);
}

TEST(FilebeatGolden, TheFileOfTheOriginalProjectIsReadAndItsMistakesAreNamed) {
  const std::filesystem::path root = ENCLAVE_SOURCE_DIR;
  const Case one{"config", read_whole(root / "examples/original/filebeat.yml"),
                 read_whole(root / "tests/golden/filebeat/original.expected")};
  EXPECT_EQ(evaluate(one), one.expected);
}

}  // namespace
}  // namespace enclave::pipeline::filebeat
