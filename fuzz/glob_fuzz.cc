// uses: pipeline
#include <cstddef>
#include <cstdint>

#include "pipeline/glob.h"

// A pattern and a path, separated by LF.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::pipeline;
  const std::string_view text(reinterpret_cast<const char*>(data), size < 2000 ? size : 2000);
  const auto pattern = text.substr(0, text.find('\n'));
  const auto path = pattern.size() < text.size() ? text.substr(pattern.size() + 1) : std::string_view();
  const auto glob = Glob::parse(pattern);
  if (!glob) return 0;
  (void)glob->matches(path);
  (void)glob->matches(pattern);
  return 0;
}
