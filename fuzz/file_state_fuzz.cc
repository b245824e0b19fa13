// uses: pipeline
#include <cstddef>
#include <cstdint>

#include "pipeline/file_state.h"

// What the registry gives back at a start: one text for one value, and nothing else is taken.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::pipeline;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto state = parse_state(text)) {
    ENSURE(format_state(*state) == text);
    ENSURE(*parse_state(format_state(*state)) == *state);
  }
  if (const auto path = path_of_source(text); path && !path->empty() && path->size() <= kFilePathBytes) {
    const std::string source = file_source(*path, 7);
    ENSURE(source.empty() || *path_of_source(source) == *path);
  }
  const std::string source = file_source(text, 7);
  ENSURE(source.empty() || *path_of_source(source) == text);
  return 0;
}
