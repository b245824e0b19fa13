// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/logstash/parser.h"
#include "pipeline/logstash/printer.h"

using namespace enclave;
using namespace enclave::pipeline::logstash;

// Whatever is read without a mistake is printed and read again as the same tree.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Diagnostics diagnostics;
  Configuration first;
  parse_config({reinterpret_cast<const char*>(data), size}, "a.conf", {}, first, diagnostics);
  const std::string text = to_text(first);
  const std::string json = to_json(first, false);
  if (diagnostics.has_errors()) return 0;
  Configuration second;
  parse_config(text, "b.conf", {}, second, diagnostics);
  // Parentheses that show how operators group may nest deeper than what was written.
  if (diagnostics.text().find("nested more than") != std::string::npos) return 0;
  ENSURE(!diagnostics.has_errors());
  ENSURE(to_json(second, false) == json);
  ENSURE(to_text(second) == text);
  return 0;
}
