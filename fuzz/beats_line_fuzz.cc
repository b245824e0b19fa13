// uses: pipeline
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pipeline/beats_line.h"
#include "pipeline/beats_seen_state.h"

namespace {

using namespace enclave::pipeline;

std::string shown(bool is_line, const BeatLine& line) {
  if (!is_line) return "none";
  std::string out;
  for (const auto& part : {line.sender, line.sender_host, line.process, line.path, line.device, line.inode,
                           line.fingerprint, line.time, line.message, line.digits})
    out += fmt::format("{}\n", part);
  return out + std::to_string(line.offset);
}

}  // namespace

// Events of strangers, one on each line: what a reader says does not depend on what it has read before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 1 << 16));
  if (const auto chunk = parse_seen(bytes)) ENSURE(format_seen(*chunk) == bytes && *parse_seen(bytes) == *chunk);
  if (const auto name = parse_seen_source(bytes, 5044)) ENSURE(seen_source(5044, name->key, name->number) == bytes);
  BeatParser parser, other;
  BeatLineReader reader;
  while (!bytes.empty()) {
    const std::string_view json = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), json.size() + 1));
    // As much memory as there has to be, and no more.
    const std::string kept = std::string(json) + std::string(BeatParser::kPadding, ' ');
    const std::string_view text = std::string_view(kept).substr(0, json.size());
    BeatLine line, alone;
    const bool is_line = reader.read(text, parser, line);
    const bool same_origin = line.same_origin;
    // A text that is not UTF-8 is no JSON, which nobody looks at when the rest is known.
    const bool is_alone = other.parse(text, alone);
    ENSURE(shown(is_line, line) == shown(is_alone, alone) || (same_origin && !is_alone));
  }
  return 0;
}
