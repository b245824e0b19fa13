#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/filebeat/dressing.h"
#include "pipeline/filebeat/processors.h"
#include "pipeline/flow/flow.h"

/// Filebeat's processors at work.
namespace enclave::pipeline::filebeat {

/// One processor, made once for each worker.
class Step {
 public:
  virtual ~Step() = default;
  /// May cancel the event. What goes wrong stands in the event afterwards, as Filebeat has it.
  virtual void run(event::Document& event, FilterRun& run) = 0;
};
using Steps = std::vector<std::unique_ptr<Step>>;

/// What processors know of the world. Outlives them.
struct ProcessorWorld {
  Files& files;
  const logstash::ZoneLookup& zones;
  const Identity& identity;
};

/// A condition, made once for each worker.
using Judge = std::function<bool(const event::Document&)>;
Judge make_judge(const Condition& condition, Diagnostics& diagnostics);

/// Reports what cannot be used, such as a pattern that is none; such steps are left out. `processors` outlive them.
Steps make_steps(const std::vector<Processor>& processors, const ProcessorWorld& world, Diagnostics& diagnostics);
void run_steps(const Steps& steps, event::Document& event, FilterRun& run);

/// The processors of each input and then those of all; events go to all outputs. `config`'s inputs in the order of
/// `inputs`.
std::unique_ptr<Chain> make_chain(const Config& config, const std::vector<const Input*>& inputs,
                                  const ProcessorWorld& world, Diagnostics& diagnostics);

// One for each family; null when the processor is of another one.
using Made = std::unique_ptr<Step>;
Made make_field_step(const Processor& processor, Diagnostics& diagnostics);
Made make_text_step(const Processor& processor, Diagnostics& diagnostics);
Made make_convert_step(const Processor& processor, Diagnostics& diagnostics);
Made make_time_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics);
Made make_syslog_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics);
Made make_metadata_step(const Processor& processor, const ProcessorWorld& world, Diagnostics& diagnostics);

/// The options of one processor, which have been checked; defaults stand in them.
struct StepOptions {
  const Value& value;
  bool flag(std::string_view name) const;
  std::int64_t number(std::string_view name, std::int64_t otherwise) const;
  std::string text(std::string_view name) const;  ///< scalars as the file has them; "" when there is none
  Strings texts(std::string_view name) const;
  struct Pair {
    std::string from, to, type;
  };
  std::vector<Pair> pairs() const;  ///< of `fields`
};
/// Sets error.message.
void set_error(event::Document& event, std::string_view text);
void add_flag(event::Document& event, std::string_view flag);

}  // namespace enclave::pipeline::filebeat
