// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/filebeat/filebeat.h"

using namespace enclave;
using namespace enclave::pipeline::filebeat;

// Whatever the bytes are, reading ends, and what was read can be printed and turned into inputs of ours.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Lookup lookup = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "${A}, b";
    return std::nullopt;
  };
  Diagnostics diagnostics;
  const Config config = parse_filebeat(text, "f.yml", {std::nullopt, lookup}, diagnostics);
  (void)to_json(config, true);
  for (const auto& input : config.inputs) (void)to_enclave_input(input, diagnostics);
  lint_file(text, "f.yml", true, diagnostics);
  (void)diagnostics.text();
  // The generation is guessed from the file alone, so asking for it gives the same.
  if (diagnostics.has_errors()) return 0;
  Diagnostics again;
  Config same = parse_filebeat(text, "f.yml", {config.generation, lookup}, again);
  same.generation_reason = config.generation_reason;
  ENSURE(to_json(same, true) == to_json(config, true));
  return 0;
}
