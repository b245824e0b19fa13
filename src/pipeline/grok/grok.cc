#include "pipeline/grok/grok.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "pipeline/grok/expression.h"

namespace enclave::pipeline::grok {
namespace {

constexpr std::uint32_t kHeapKibMax = 20'000;
constexpr std::size_t kJitStackLeast = 32 << 10, kJitStackMost = 1 << 20;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};

PCRE2_SPTR units(std::string_view text) {
  // An empty view may have no address, which PCRE2 refuses.
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

/// "IP:client:int" or "client": the field, the type.
Grok::Capture capture_of(std::string_view name, std::uint32_t group) {
  Grok::Capture capture;
  capture.group = group;
  const std::size_t first = name.find(':');
  if (first == std::string_view::npos) {
    capture.field = name;
    return capture;
  }
  std::string_view rest = name.substr(first + 1);
  const std::size_t second = std::min(rest.find(':'), rest.size());
  capture.field = second == 0 ? name.substr(0, first) : rest.substr(0, second);
  rest.remove_prefix(std::min(second + 1, rest.size()));
  const std::string_view type = rest.substr(0, rest.find(':'));
  if (type == "int") {
    capture.type = Grok::Type::integer;
  } else if (type == "float") {
    capture.type = Grok::Type::real;
  } else {
    capture.unknown_type = type;
  }
  return capture;
}

std::vector<Grok::Capture> captures_of(const std::vector<std::string>& groups) {
  std::vector<std::string_view> names;
  for (const auto& name : groups)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  std::vector<Grok::Capture> captures;
  for (const auto& name : names)
    for (std::size_t i = 0; i < groups.size(); ++i)
      if (groups[i] == name) captures.push_back(capture_of(name, static_cast<std::uint32_t>(i + 1)));
  return captures;
}

}  // namespace

struct Grok::State {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_data, FreeData> data;
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
  std::vector<Capture> captures;
  bool jit = false;
};

static_assert(std::is_same_v<PCRE2_SIZE, std::size_t> && PCRE2_UNSET == std::string_view::npos);
Grok::Grok(std::unique_ptr<State> state)
    : state_(std::move(state)), spans_(pcre2_get_ovector_pointer(state_->data.get())) {}
Grok::Grok(Grok&&) noexcept = default;
Grok& Grok::operator=(Grok&&) noexcept = default;
Grok::~Grok() = default;

Result<Grok> Grok::compile(std::string_view pattern, const PatternLibrary& library, const Options& options) {
  const std::string expanded = TRY(expand(pattern, library, !options.named_captures_only));
  const Translation translation = TRY(translate(expanded));
  // Logstash compiles with Ruby's MULTILINE, by which a dot matches a line end too; ^ and $ always mean lines.
  std::uint32_t flags = PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
  if (!translation.groups.empty()) flags |= PCRE2_NO_AUTO_CAPTURE;
  if (translation.needs_utf8) flags |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
  auto state = std::make_unique<State>();
  const std::unique_ptr<pcre2_compile_context, FreeCompileContext> how(pcre2_compile_context_create(nullptr));
  if (!how) return Error{Fault::limit, "no memory for a pattern"};
  pcre2_set_newline(how.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::string& text = translation.expression;
  state->code.reset(pcre2_compile(units(text), text.size(), flags, &error, &at, how.get()));
  if (!state->code) {
    PCRE2_UCHAR message[256] = {};
    pcre2_get_error_message(error, message, sizeof message);
    constexpr std::size_t kShown = 30;
    return Error{Fault::invalid, "not a regular expression: {}, behind \"{}\"", reinterpret_cast<const char*>(message),
                 std::string_view(text).substr(at > kShown ? at - kShown : 0, std::min<std::size_t>(at, kShown))};
  }
  state->jit = pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE) == 0;
  state->data.reset(pcre2_match_data_create_from_pattern(state->code.get(), nullptr));
  state->context.reset(pcre2_match_context_create(nullptr));
  state->stack.reset(pcre2_jit_stack_create(kJitStackLeast, kJitStackMost, nullptr));
  if (!state->data || !state->context) return Error{Fault::limit, "no memory for a pattern"};
  pcre2_set_match_limit(state->context.get(), std::max<std::uint32_t>(options.steps_max, 1));
  pcre2_set_heap_limit(state->context.get(), kHeapKibMax);
  if (state->stack) pcre2_jit_stack_assign(state->context.get(), nullptr, state->stack.get());
  state->captures = captures_of(translation.groups);
  return Grok(std::move(state));
}

std::span<const Grok::Capture> Grok::captures() const { return state_->captures; }

Grok::Outcome Grok::match(std::string_view subject) const {
  const auto how = state_->jit ? pcre2_jit_match : pcre2_match;
  const int found =
      how(state_->code.get(), units(subject), subject.size(), 0, 0, state_->data.get(), state_->context.get());
  if (found >= 0) return Outcome::yes;
  return found == PCRE2_ERROR_NOMATCH ? Outcome::no : Outcome::limit;
}

}  // namespace enclave::pipeline::grok
