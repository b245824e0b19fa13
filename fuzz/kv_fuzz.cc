// uses: pipeline
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/pair_scanner.h"

using namespace enclave::pipeline;

// The first line has the splitters, the rest is a text. What is found lies within it, and the scan ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view head = all.substr(0, all.find('\n'));
  const std::string_view text = all.substr(std::min(head.size() + 1, all.size()));
  PairScanner::Options how{.fields = Splitter(head.substr(0, head.size() / 2)),
                           .values = Splitter(head.substr(head.size() / 2))};
  how.strict = size % 2 == 0;
  how.brackets = size % 3 == 0;
  if (size % 5 == 0)
    if (auto regex = Regex::compile(head)) how.values = Splitter(std::move(*regex));
  PairScanner scanner(std::move(how));
  scanner.begin(text);
  std::size_t pairs = 0;
  while (const auto pair = scanner.next()) {
    ENSURE(++pairs <= text.size() + 1);
    for (const auto piece : {pair->key, pair->value})
      ENSURE(piece.data() >= text.data() && piece.data() + piece.size() <= text.data() + text.size());
  }
  return 0;
}
