// uses: pipeline
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/grok/grok.h"

using namespace enclave;
using namespace enclave::pipeline::grok;

// The first line is a pattern, the rest a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = all.substr(0, all.find('\n'));
  const std::string_view text = all.substr(std::min(pattern.size() + 1, all.size()));
  PatternLibrary library(size % 2 == 0 ? Vocabulary::ecs : Vocabulary::legacy);
  library.add_file(text.substr(0, 200));
  const auto grok = Grok::compile(pattern, library, {.named_captures_only = size % 3 != 0, .steps_max = 20'000});
  if (!grok) return 0;
  if (grok->match(text) == Grok::Outcome::yes)
    for (const auto& capture : grok->captures()) ENSURE(grok->group(capture.group, text).size() <= text.size());
  std::string joined;
  for (const auto& part : parts_of(pattern)) joined += part;
  ENSURE(joined == pattern);
  return 0;
}
