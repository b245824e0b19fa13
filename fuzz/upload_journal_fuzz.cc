// uses: base cloud
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "cloud/upload_journal.h"

// What is left of an interrupted upload. What was read is written so that it is read as the same; a crash that cuts the
// last line costs that part and nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::cloud;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto state = parse_upload_state(text);
  if (!state) return 0;
  ENSURE(!state->id.empty() && !state->key.empty() && state->part_bytes > 0);
  for (const auto& part : state->parts) ENSURE(part.number >= 1 && part.number <= 10'000);
  const std::string written = format_upload_state(*state);
  const auto again = parse_upload_state(written);
  ENSURE(again && format_upload_state(*again) == written);
  if (state->parts.empty()) return 0;
  const auto cut = parse_upload_state(std::string_view(written).substr(0, written.size() - 1));
  ENSURE(cut && cut->parts.size() + 1 == state->parts.size() && cut->file_key.reveal() == state->file_key.reveal());
  return 0;
}
