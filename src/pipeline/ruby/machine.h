#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/document.h"
#include "pipeline/filter.h"
#include "pipeline/logstash/timezone.h"

namespace enclave::pipeline::ruby {

struct Limits {
  /// Methods, blocks and loop turns of one event; what is allocated and searched counts too, 64 bytes as one step.
  std::int64_t event_steps = 2'000'000;
  std::int64_t start_steps = 20'000'000;
  std::size_t memory_bytes = 64 << 20;  ///< all that the script keeps, with the machine's own 2 MiB
};

/// A Ruby interpreter (mruby) that knows LogStash::Event and neither files nor processes nor the network. What a script
/// keeps in instance variables stays from event to event. One thread at a time; its errors and limits are values.
class Machine {
 public:
  /// `zones` must outlive it.
  static Result<std::unique_ptr<Machine>> make(const logstash::ZoneLookup& zones, Limits limits = {});
  ~Machine();

  /// Runs code once, with `self` as events have it. Fault::invalid with "line 3: …" for what does not compile or
  /// raises. `name` is the name of the file as backtraces show it.
  Result<void> run(std::string_view code, const std::string& name);
  /// The code for each event: it sees `event` and `new_event_block`.
  Result<void> set_code(std::string_view code);
  /// After run() of a script that has `filter`: calls its `register` with the parameters, a map.
  Result<void> set_script(const event::Value& parameters);

  /// Does to `event` what set_code() or set_script() said. New events go to run.made, also those that were made before
  /// it failed. Fault::invalid with the class and message of what was raised, Fault::limit where it took too much.
  Result<void> apply(event::Document& event, FilterRun& run);

  struct State;

 private:
  explicit Machine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace enclave::pipeline::ruby
