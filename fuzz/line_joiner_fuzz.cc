// uses: pipeline event io base
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "io/system.h"
#include "pipeline/line_joiner.h"

namespace {

using namespace enclave;

class Quiet final : public pipeline::InputLog {
 public:
  void trouble(std::string_view, std::string_view) override {}
  void resolved(std::string_view) override {}
  void count(std::string_view, std::int64_t) override {}
};

using Seen = std::map<std::string, std::string>;

void take(const event::Batch& batch, Seen& seen) {
  for (const auto& event : batch.events) {
    ENSURE(event.source < batch.sources.size());
    seen[batch.sources[event.source].source] += std::string(event.raw) + "\n--\n" + std::to_string(event.cut_bytes);
  }
}

Seen join(std::string_view text, const pipeline::MultilineRule& rule, std::size_t lines_each) {
  Quiet log;
  pipeline::LineJoiner joiner(rule, {io::real_clock(), io::real_files(), io::real_random()}, log);
  Seen seen;
  while (!text.empty()) {
    event::Batch batch;
    for (std::size_t i = 0; i < lines_each && !text.empty(); ++i) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      auto& event = batch.events.emplace_back();
      event.raw = batch.store(text.substr(0, end));
      event.source = batch.source(end % 2 == 0 ? "even" : "odd", "");
      if (text.substr(0, end).ends_with('+')) event.fields = pipeline::kGoesOn;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    joiner.apply(batch);
    take(batch, seen);
  }
  event::Batch rest;
  joiner.flush(rest, true);
  take(rest, seen);
  return seen;
}

}  // namespace

// Any lines by any rule, cut anywhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  pipeline::MultilineRule rule;
  rule.kind = static_cast<pipeline::MultilineRule::Kind>(data[0] % 3);
  rule.negate = (data[0] & 4U) != 0;
  rule.after = (data[0] & 8U) != 0;
  rule.skip_newline = (data[0] & 16U) != 0;
  rule.count_lines = 1 + data[1] % 8;
  rule.lines_max = 1 + data[2] % 16;
  rule.bytes_max = 1 + data[3];
  rule.parts = (data[1] & 128U) != 0;
  rule.pattern = (data[0] & 32U) != 0 ? "^\\s" : "[a-f]$";
  if ((data[0] & 64U) != 0) rule.flush_pattern = "end";
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  const Seen whole = join(text, rule, text.size());
  ENSURE(join(text, rule, 1) == whole);
  ENSURE(join(text, rule, 3) == whole);
  return 0;
}
