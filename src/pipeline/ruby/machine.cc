#include "pipeline/ruby/machine.h"

#include <fmt/format.h>
#include <malloc.h>
#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/compile.h>
#include <mruby/error.h>
#include <mruby/proc.h>
#include <mruby/string.h>
#include <mruby/variable.h>

#include <cstdlib>

#include "pipeline/ruby/state.h"

// The parts of the library that scripts may use. The others, which open files, sockets and processes, are not started.
extern "C" {
#define PART(name) void GENERATED_TMP_mrb_mruby_##name##_gem_init(mrb_state*);
#define ALL_PARTS    \
  PART(compar_ext)   \
  PART(enum_ext)     \
  PART(string_ext)   \
  PART(numeric_ext)  \
  PART(array_ext)    \
  PART(hash_ext)     \
  PART(range_ext)    \
  PART(proc_ext)     \
  PART(symbol_ext)   \
  PART(object_ext)   \
  PART(fiber)        \
  PART(enumerator)   \
  PART(enum_lazy)    \
  PART(toplevel_ext) \
  PART(kernel_ext)   \
  PART(class_ext)    \
  PART(pack)         \
  PART(sprintf)      \
  PART(struct)       \
  PART(random)       \
  PART(math)         \
  PART(metaprog)     \
  PART(method)
ALL_PARTS
#undef PART
}

namespace enclave::pipeline::ruby {
namespace {

/// The interpreter's memory: counted, and refused beyond the limit, which becomes a NoMemoryError.
void* allocate(mrb_state* mrb, void* known, std::size_t size, void* data) {
  auto& state = *static_cast<Machine::State*>(data);
  const std::size_t before = known == nullptr ? 0 : malloc_usable_size(known);
  if (size == 0) {
    state.bytes -= before;
    std::free(known);
    return nullptr;
  }
  if (size > before && state.bytes + size - before > state.limits.memory_bytes) {
    state.spent = mrb != nullptr;
    return nullptr;
  }
  void* const made = std::realloc(known, size);
  if (made == nullptr) return nullptr;
  if (size > before) state.spend(size - before);
  state.bytes += malloc_usable_size(made) - before;
  return made;
}

mrb_value count_step(mrb_state* mrb, mrb_value /*self*/) {
  Machine::State& state = state_of(mrb);
  if (--state.steps < 0) {
    state.spent = true;
    mrb_raise(mrb, state.limit_error, "it took too long");
  }
  return mrb_nil_value();
}

struct Compiling {
  std::string_view code;
  const char* name;
  Machine::State* state;
  std::string problem;
};

/// Null when it does not compile; then `problem` says why.
RProc* compile(mrb_state* mrb, Compiling& job) {
  mrbc_context* const context = mrbc_context_new(mrb);
  context->capture_errors = 1;
  mrbc_filename(mrb, context, job.name);
  mrb_parser_state* const parser = mrb_parse_nstring(mrb, job.code.data(), job.code.size(), context);
  RProc* code = nullptr;
  if (parser == nullptr) {
    job.problem = "no memory for it";
  } else if (parser->nerr > 0) {
    const auto& first = parser->error_buffer[0];
    job.problem = fmt::format("line {}: {}", first.lineno, first.message == nullptr ? "syntax error" : first.message);
  } else {
    code = mrb_generate_code(mrb, parser);
    if (code == nullptr) job.problem = "it is too complex to compile";
  }
  if (parser != nullptr) mrb_parser_free(parser);
  mrbc_context_free(mrb, context);
  if (code == nullptr || job.state->ticks == nullptr) return code;
  if (const auto counted = job.state->ticks->count(code); !counted) {
    job.problem = counted.error().text();
    return nullptr;
  }
  return code;
}

mrb_value compile_and_run(mrb_state* mrb, void* data) {
  RProc* const code = compile(mrb, *static_cast<Compiling*>(data));
  if (code == nullptr) return mrb_nil_value();
  MRB_PROC_SET_TARGET_CLASS(code, mrb->object_class);
  return mrb_top_run(mrb, code, mrb_top_self(mrb), 0);
}

/// "line 3: undefined method … (NoMethodError)"
std::string describe(mrb_state* mrb, mrb_value exception) {
  // What describes an error may raise itself.
  mrb_bool failed = 0;
  const mrb_value text = mrb_protect_error(
      mrb,
      [](mrb_state* m, void* data) {
        const mrb_value one = *static_cast<mrb_value*>(data);
        const mrb_value message = mrb_funcall(m, one, "message", 0);
        const mrb_value trace = mrb_funcall(m, one, "backtrace", 0);
        const mrb_value both = mrb_ary_new(m);
        mrb_ary_push(m, both, mrb_obj_as_string(m, message));
        // Of the user's own code: names of what is ours begin with "(".
        for (mrb_int i = 0; mrb_array_p(trace) && i < RARRAY_LEN(trace); ++i)
          if (mrb_string_p(RARRAY_PTR(trace)[i]) && !view(RARRAY_PTR(trace)[i]).starts_with("("))
            mrb_ary_push(m, both, RARRAY_PTR(trace)[i]);
        return both;
      },
      &exception, &failed);
  const std::string kind = mrb_obj_classname(mrb, exception);
  if (failed != 0) return kind;
  std::string place;
  if (RARRAY_LEN(text) > 1 && mrb_string_p(RARRAY_PTR(text)[1])) {
    std::string_view where = view(RARRAY_PTR(text)[1]);
    const std::size_t colon = where.find(':');
    if (colon != std::string_view::npos) {
      where = where.substr(colon + 1);
      place = fmt::format("line {}: ", where.substr(0, where.find(':')));
    }
  }
  return fmt::format("{}{} ({})", place, view(RARRAY_PTR(text)[0]).substr(0, 1000), kind);
}

Error error_of(Machine::State& state, mrb_value exception) {
  state.mrb->exc = nullptr;
  // A description takes steps too.
  const bool spent = state.spent;
  state.steps = std::max<std::int64_t>(state.steps, 100'000);
  const std::string text = describe(state.mrb, exception);
  state.mrb->exc = nullptr;
  return {spent ? Fault::limit : Fault::invalid, "{}", text};
}

void start_parts(mrb_state* mrb) {
#define PART(name)                                \
  GENERATED_TMP_mrb_mruby_##name##_gem_init(mrb); \
  mrb_gc_arena_restore(mrb, 0);
  ALL_PARTS
#undef PART
}

mrb_value call_each(mrb_state* mrb, void* data) {
  Machine::State& state = *static_cast<Machine::State*>(data);
  const mrb_value one = mrb_obj_value(mrb_obj_alloc(mrb, MRB_TT_OBJECT, state.event));
  mrb_iv_set(mrb, one, state.slot, mrb_fixnum_value(0));
  mrb_iv_set(mrb, one, state.age, mrb_fixnum_value(state.serial));
  return mrb_funcall_argv(mrb, state.main, mrb_intern_cstr(mrb, state.script ? "__run_script" : "__run_code"), 1, &one);
}

}  // namespace

mrb_value to_text(mrb_state* mrb, std::string_view text) {
  return mrb_str_new(mrb, text.data(), static_cast<mrb_int>(text.size()));
}

Machine::Machine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Machine::~Machine() = default;

Result<std::unique_ptr<Machine>> Machine::make(const logstash::ZoneLookup& zones, Limits limits) {
  auto state = std::make_unique<State>(zones, limits);
  state->steps = limits.start_steps;
  const Error no_memory{Fault::limit, "no memory for a Ruby interpreter"};
  mrb_state* const mrb = state->mrb = mrb_open_core(allocate, state.get());
  if (mrb == nullptr) return no_memory;
  mrb->ud = state.get();
  const auto start = [](mrb_state* m, void*) {
    State& own = state_of(m);
    own.limit_error = mrb_define_class(m, "StepLimitError", m->eException_class);
    mrb_define_method(m, m->kernel_module, kTickName, count_step, MRB_ARGS_NONE());
    start_parts(m);
    define_texts(m);
    define_regexes(m);
    define_times(m);
    define_events(m);
    own.main = mrb_top_self(m);
    return mrb_nil_value();
  };
  mrb_bool failed = 0;
  const mrb_value exception = mrb_protect_error(mrb, start, nullptr, &failed);
  if (failed != 0) return error_of(*state, exception);
  auto machine = std::unique_ptr<Machine>(new Machine(std::move(state)));
  for (const auto prelude : {kPrelude, kTextPrelude}) TRY(machine->run(prelude, "(prelude)"));
  Machine::State& own = *machine->state_;
  own.ticks = std::make_unique<Ticks>(mrb);
  TRY(own.ticks->count_all());
  return machine;
}

Result<void> Machine::run(std::string_view code, const std::string& name) {
  State& state = *state_;
  state.steps = state.limits.start_steps;
  state.spent = false;
  Compiling job{code, name.c_str(), &state, {}};
  const int arena = mrb_gc_arena_save(state.mrb);
  mrb_bool failed = 0;
  const mrb_value result = mrb_protect_error(state.mrb, compile_and_run, &job, &failed);
  mrb_gc_arena_restore(state.mrb, arena);
  if (!job.problem.empty()) return Error{Fault::invalid, "{}", job.problem};
  if (failed != 0) return error_of(state, result);
  if (state.mrb->exc != nullptr) return error_of(state, mrb_obj_value(state.mrb->exc));
  return {};
}

Result<void> Machine::set_code(std::string_view code) {
  // A method that ends in a comment, and one that is all comment, are fine.
  return run(fmt::format("@__code = lambda {{ |event, &new_event_block| {}\n}}\n", code), "code");
}

Result<void> Machine::set_script(const event::Value& parameters) {
  State& state = *state_;
  state.script = true;
  struct Job {
    const event::Value& parameters;
    State& state;
  } job{parameters, state};
  state.steps = state.limits.start_steps;
  state.spent = false;
  mrb_bool failed = 0;
  const mrb_value result = mrb_protect_error(
      state.mrb,
      [](mrb_state* mrb, void* data) {
        const auto& given = *static_cast<Job*>(data);
        const mrb_value value = to_ruby(mrb, given.parameters);
        return mrb_funcall_argv(mrb, given.state.main, mrb_intern_cstr(mrb, "__register"), 1, &value);
      },
      &job, &failed);
  if (failed != 0) return error_of(state, result);
  return {};
}

Result<void> Machine::apply(event::Document& event, FilterRun& run) {
  State& state = *state_;
  state.run = &run;
  state.events.assign(1, &event);
  state.made.clear();
  state.given.clear();
  ++state.serial;
  state.steps = state.limits.event_steps;
  state.spent = false;
  const int arena = mrb_gc_arena_save(state.mrb);
  mrb_bool failed = 0;
  const mrb_value result = mrb_protect_error(state.mrb, call_each, &state, &failed);
  for (const event::Document* one : state.given)
    if (!one->cancelled) run.made.push_back(*one);
  Result<void> outcome;
  if (failed != 0) outcome = tl::unexpected(error_of(state, result));
  mrb_gc_arena_restore(state.mrb, arena);
  state.run = nullptr;
  state.events.clear();
  return outcome;
}

}  // namespace enclave::pipeline::ruby
