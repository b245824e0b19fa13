// uses: pipeline event base
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pipeline/ruby/machine.h"

using namespace enclave;
using namespace enclave::pipeline;

namespace {

constexpr std::string_view kCode = R"(
  s = event.get("s")
  event.set("parts", [s.length, s[0], s[1..-2], s[-3, 2], s.reverse, s.chars.length, s.index("a"), s.rindex(/\w/)])
  event.set("split", [s.split(/\W/), s.split(","), s.split(//, 3), s.scan(/(\w)(\d)?/), s.partition(":")])
  event.set("changed", [s.gsub(/./) { |c| c.upcase }, s.sub(/(a)(b)?/, '\2\1\k<x>'), s.tr("a-z", "b-z"), s.scrub])
  event.set("texts", [s.inspect, s.unpack1("H*"), s.ljust(9, "ä"), s.center(12), s.to_i, s.to_f, s.to_sym.to_s])
  [-> { Time.parse(s).to_f }, -> { Time.strptime(s, "%d/%b/%Y:%H:%M:%S %z") }, -> { JSON.parse(s) }, -> { s % 7 },
   -> { Time.at(s.to_i).strftime(s) }, -> { Regexp.new(s).match(s) }, -> { event.get(s) }, -> { event.set(s, 1) },
   -> { event.sprintf(s) }, -> { Base64.decode64(s) }, -> { s.unpack("U*") }].each do |one|
    begin
      one.call
    rescue StandardError => e
      e.message
    end
  end
)";

}  // namespace

// Whatever a text holds, a script that looks at it from all sides ends, by itself or by its limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const logstash::ZoneLookup kZones = [](std::string_view) { return nullptr; };
  static const auto kMachine = [] {
    auto machine = ruby::Machine::make(kZones, {.event_steps = 50'000}).value();
    ENSURE(machine->set_code(kCode));
    return machine;
  }();
  event::Arena arena;
  event::Document document(arena);
  document.set("s", event::Value::of(std::string_view(reinterpret_cast<const char*>(data), size)));
  FilterRun run{.now_ns = 1'767'323'045'000'000'000};
  static_cast<void>(kMachine->apply(document, run));
  ENSURE(document.find("s") != nullptr || size > 0);
  return 0;
}
