// uses: pipeline
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/filebeat/registry_import.h"

using namespace enclave;
using namespace enclave::pipeline::filebeat;

namespace {

void check(const Result<RegistryImport>& import) {
  if (!import) return;
  for (const auto& entry : import->entries)
    ENSURE(!entry.source.empty() && entry.source.size() <= kRegistryPathBytesMax &&
           entry.source.find('\0') == std::string::npos);
}

}  // namespace

// The bytes as an array, as a log, and the array with the log on top where a line of "==" parts them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check(parse_registry_array(text));
  check(parse_registry_log("", 0, text));
  if (const std::size_t mark = text.find("\n==\n"); mark != std::string_view::npos)
    check(parse_registry_log(text.substr(0, mark), 3, text.substr(mark + 4)));
  return 0;
}
