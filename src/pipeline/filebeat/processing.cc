#include "pipeline/filebeat/processing.h"

#include <algorithm>

#include "pipeline/filebeat/event_keys.h"

namespace enclave::pipeline::filebeat {
namespace {

/// A step that is only done when its condition holds.
class Conditional final : public Step {
 public:
  Conditional(Judge judge, Steps then_do, Steps else_do)
      : judge_(std::move(judge)), then_(std::move(then_do)), else_(std::move(else_do)) {}
  void run(event::Document& event, FilterRun& run) override { run_steps(judge_(event) ? then_ : else_, event, run); }

 private:
  Judge judge_;
  Steps then_, else_;
};

class DropEvent final : public Step {
 public:
  void run(event::Document& event, FilterRun& /*run*/) override { event.cancelled = true; }
};

Made make_step(const Processor& one, const ProcessorWorld& world, Diagnostics& diagnostics) {
  if (one.name == "drop_event") return std::make_unique<DropEvent>();
  const std::size_t before = diagnostics.errors();
  Made made = make_field_step(one, diagnostics);
  if (made == nullptr) made = make_text_step(one, diagnostics);
  if (made == nullptr) made = make_convert_step(one, diagnostics);
  if (made == nullptr) made = make_time_step(one, world, diagnostics);
  if (made == nullptr) made = make_syslog_step(one, world, diagnostics);
  if (made == nullptr) made = make_metadata_step(one, world, diagnostics);
  if (made == nullptr && diagnostics.errors() == before)
    diagnostics.error(one.place, fmt::format("the processor {} is not yet offered", one.name));
  return made;
}

class FilebeatChain final : public Chain {
 public:
  FilebeatChain(const Config& config, const std::vector<const Input*>& inputs, const ProcessorWorld& world,
                Diagnostics& diagnostics)
      : all_(make_steps(config.processors, world, diagnostics)) {
    for (const Input* input : inputs) of_input_.push_back(make_steps(input->processors, world, diagnostics));
    count_.name = "processors";
    count_.reason = "drop_event";
  }

  Sent run(std::size_t source, std::vector<event::Document>& events, FilterRun& run, Routed& routed) override {
    Sent sent;
    const std::int64_t begun = clock_ == nullptr ? 0 : clock_->boot_ns();
    count_.in += events.size();
    for (auto& event : events) {
      if (!event.cancelled && source < of_input_.size()) run_steps(of_input_[source], event, run);
      if (!event.cancelled) run_steps(all_, event, run);
      if (event.cancelled) {
        ++count_.dropped;
        continue;
      }
      for (auto& one : routed) one.push_back(event);
      ++sent.out;
    }
    count_.succeeded = count_.in - count_.dropped;
    if (clock_ != nullptr) count_.busy_ns += clock_->boot_ns() - begun;
    return sent;
  }
  void measure(Clock& clock) override { clock_ = &clock; }
  std::vector<logstash::FilterCount> counts() const override {
    return alike() ? std::vector<logstash::FilterCount>() : std::vector{count_};
  }
  bool alike() const override { return all_.empty() && std::ranges::all_of(of_input_, &Steps::empty); }

 private:
  std::vector<Steps> of_input_;
  Steps all_;
  logstash::FilterCount count_;
  Clock* clock_ = nullptr;
};

std::string shown(const Value& value) {
  if (const auto* text = value.text()) return *text;
  return value.is_null() ? "" : to_json(value);
}

}  // namespace

bool StepOptions::flag(std::string_view name) const {
  const Value* found = value.find(name);
  const bool* flag = found == nullptr ? nullptr : std::get_if<bool>(&found->data);
  return flag != nullptr && *flag;
}

std::int64_t StepOptions::number(std::string_view name, std::int64_t otherwise) const {
  const Value* found = value.find(name);
  const auto* number = found == nullptr ? nullptr : std::get_if<std::int64_t>(&found->data);
  return number == nullptr ? otherwise : *number;
}

std::string StepOptions::text(std::string_view name) const {
  const Value* found = value.find(name);
  return found == nullptr ? "" : shown(*found);
}

Strings StepOptions::texts(std::string_view name) const {
  Strings out;
  const Value* found = value.find(name);
  if (found == nullptr || found->list() == nullptr) return out;
  for (const auto& one : *found->list()) out.push_back(shown(one));
  return out;
}

std::vector<StepOptions::Pair> StepOptions::pairs() const {
  std::vector<Pair> out;
  const Value* found = value.find("fields");
  if (found == nullptr || found->list() == nullptr) return out;
  for (const auto& one : *found->list()) {
    const StepOptions pair{one};
    out.push_back({pair.text("from"), pair.text("to"), pair.text("type")});
  }
  return out;
}

void set_error(event::Document& event, std::string_view text) {
  put_key(event.arena(), event.root(), "error.message", event::Value::of(event.arena().store(text)));
}

void add_flag(event::Document& event, std::string_view flag) {
  event::Arena& arena = event.arena();
  event::Value* flags = find_key(event.root(), "log.flags");
  if (flags == nullptr || !flags->is(event::Kind::list)) {
    if (!put_key(arena, event.root(), "log.flags", event::Value::list(arena))) return;
    flags = find_key(event.root(), "log.flags");
  }
  flags->append(arena, event::Value::of(flag));
}

void run_steps(const Steps& steps, event::Document& event, FilterRun& run) {
  for (const auto& step : steps) {
    step->run(event, run);
    if (event.cancelled) return;
  }
}

Steps make_steps(const std::vector<Processor>& processors, const ProcessorWorld& world, Diagnostics& diagnostics) {
  Steps out;
  for (const auto& one : processors) {
    Steps then_do;
    if (one.name == "if") {
      then_do = make_steps(one.then_do, world, diagnostics);
    } else if (auto made = make_step(one, world, diagnostics)) {
      then_do.push_back(std::move(made));
    }
    if (!one.when) {
      for (auto& step : then_do) out.push_back(std::move(step));
      continue;
    }
    out.push_back(std::make_unique<Conditional>(make_judge(*one.when, diagnostics), std::move(then_do),
                                                make_steps(one.else_do, world, diagnostics)));
  }
  return out;
}

std::unique_ptr<Chain> make_chain(const Config& config, const std::vector<const Input*>& inputs,
                                  const ProcessorWorld& world, Diagnostics& diagnostics) {
  return std::make_unique<FilebeatChain>(config, inputs, world, diagnostics);
}

}  // namespace enclave::pipeline::filebeat
