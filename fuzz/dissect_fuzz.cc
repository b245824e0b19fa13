// uses: pipeline event
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/dissection.h"

using namespace enclave;

// The first line is a pattern, the rest a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = all.substr(0, all.find('\n'));
  const std::string_view text = all.substr(std::min(pattern.size() + 1, all.size()));
  auto dissection = pipeline::Dissection::compile(pattern);
  if (!dissection) return 0;
  event::Arena arena;
  event::Document document(arena);
  document.set("message", event::Value::of(text));
  const bool fits = dissection->apply(text, document);
  ENSURE(fits || document.root().members().size() == 1);
  std::string json;
  append_json(document, json);
  return 0;
}
