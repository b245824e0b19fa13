#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/printer.h"

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

std::string evaluate(const Case& one) {
  if (one.kind == "config") return evaluate_config(one.input);
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
  EXPECT_GE(cases, 80U);
}

}  // namespace
}  // namespace enclave::pipeline::logstash
