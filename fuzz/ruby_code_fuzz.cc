// uses: pipeline event base
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/ruby/machine.h"

using namespace enclave;
using namespace enclave::pipeline;

// Any text is code: it is refused, or it runs and ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const logstash::ZoneLookup kZones = [](std::string_view) { return nullptr; };
  const auto machine = ruby::Machine::make(kZones, {.event_steps = 20'000, .start_steps = 50'000});
  ENSURE(machine);
  if (!(*machine)->set_code({reinterpret_cast<const char*>(data), size})) return 0;
  event::Arena arena;
  event::Document document(arena);
  document.set("s", event::Value::of(std::string_view("a text")));
  FilterRun run;
  static_cast<void>((*machine)->apply(document, run));
  return 0;
}
