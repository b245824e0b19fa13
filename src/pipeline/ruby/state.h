#pragma once

#include <mruby.h>
#include <mruby/string.h>

#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pipeline/logstash/text_reference.h"
#include "pipeline/regex.h"
#include "pipeline/ruby/machine.h"
#include "pipeline/ruby/ticks.h"

/// What the files of this folder share. The interpreter raises by longjmp: where a function here calls it, no object
/// with a destructor may be alive; texts live in members of State.
namespace enclave::pipeline::ruby {

struct Machine::State {
  explicit State(const logstash::ZoneLookup& zone_lookup, Limits most) : zones(zone_lookup), limits(most) {}
  ~State() {
    if (mrb != nullptr) mrb_close(mrb);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const logstash::ZoneLookup& zones;
  Limits limits;
  mrb_state* mrb = nullptr;
  std::unique_ptr<Ticks> ticks = {};

  std::int64_t steps = 0;  ///< left
  bool spent = false;      ///< some limit ended what ran
  std::size_t bytes = 0;   ///< in use by the interpreter

  // The event at hand, and those that the script made of it.
  FilterRun* run = nullptr;
  std::vector<event::Document*> events = {};
  std::deque<event::Document> made = {};
  std::vector<event::Document*> given = {};  ///< to new_event_block
  std::int64_t serial = 0;                   ///< of the event at hand: objects of former ones are stale

  std::string text = {}, reason = {};
  event::Arena arena = {};  ///< of values that are no event's
  event::JsonReader json = {};
  std::map<std::string, Regex, std::less<>> regexes[8] = {};  ///< by options
  std::map<std::string, logstash::FieldReference, std::less<>> fields = {};
  std::map<std::string, logstash::TextReference, std::less<>> references = {};

  RClass *limit_error = nullptr, *time = nullptr, *timestamp = nullptr, *event = nullptr, *match = nullptr;
  mrb_sym ns = 0, offset = 0, slot = 0, age = 0, subject = 0, places = 0, regexp = 0;
  mrb_value main = {}, each_event = {};
  bool script = false;

  /// Counts what took long without being a step.
  void spend(std::size_t amount) { steps -= static_cast<std::int64_t>(amount / 64); }
};

inline Machine::State& state_of(mrb_state* mrb) { return *static_cast<Machine::State*>(mrb->ud); }
inline std::string_view view(mrb_value text) {
  return {RSTRING_PTR(text), static_cast<std::size_t>(RSTRING_LEN(text))};
}
mrb_value to_text(mrb_state* mrb, std::string_view text);

mrb_value to_ruby(mrb_state* mrb, const event::Value& value);
/// Raises for what no event can hold, and for what is too deep.
event::Value from_ruby(mrb_state* mrb, mrb_value value, event::Arena& arena, int depth = 0);
mrb_value make_timestamp(mrb_state* mrb, std::int64_t wall_ns);

// Each defines a part of what scripts see.
void define_events(mrb_state* mrb);
void define_texts(mrb_state* mrb);
void define_regexes(mrb_state* mrb);
void define_times(mrb_state* mrb);

/// What is written in Ruby itself.
extern const std::string_view kPrelude, kTextPrelude;

}  // namespace enclave::pipeline::ruby
