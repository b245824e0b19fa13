#include "pipeline/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace enclave::pipeline {
namespace {

// What a sound pattern needs on a line of 1 MiB is far below; a catastrophic one ends within a second.
constexpr std::uint32_t kMatchLimit = 5'000'000, kHeapKibMax = 20'000;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct Regex::State {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_data, FreeData> data;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
  int error = 0;
  PCRE2_SIZE at = 0;
  auto state = std::make_unique<State>();
  // Subjects are any bytes: what is not UTF-8 matches nothing but is no error.
  constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
  state->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), kOptions, &error, &at, nullptr));
  if (!state->code) {
    PCRE2_UCHAR text[256] = {};
    pcre2_get_error_message(error, text, sizeof text);
    return Error{Fault::invalid, "not a regular expression: {} (at byte {} of \"{}\")",
                 reinterpret_cast<const char*>(text), at + 1, pattern};
  }
  pcre2_jit_compile(state->code.get(), PCRE2_JIT_COMPLETE);
  state->data.reset(pcre2_match_data_create_from_pattern(state->code.get(), nullptr));
  state->context.reset(pcre2_match_context_create(nullptr));
  if (!state->data || !state->context) return Error{Fault::limit, "no memory for a regular expression"};
  pcre2_set_match_limit(state->context.get(), kMatchLimit);
  pcre2_set_heap_limit(state->context.get(), kHeapKibMax);
  return Regex(std::move(state));
}

Regex::Outcome Regex::search(std::string_view subject, std::size_t from) const {
  const int found = pcre2_match(state_->code.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), from,
                                0, state_->data.get(), state_->context.get());
  if (found >= 0) return Outcome::yes;
  return found == PCRE2_ERROR_NOMATCH ? Outcome::no : Outcome::limit;
}

std::pair<std::size_t, std::size_t> Regex::group(std::uint32_t number) const {
  constexpr std::pair kNone{std::string_view::npos, std::string_view::npos};
  if (number >= pcre2_get_ovector_count(state_->data.get())) return kNone;
  const PCRE2_SIZE* const found = pcre2_get_ovector_pointer(state_->data.get()) + std::size_t{2} * number;
  // With \K a match may begin behind its end.
  return found[0] == PCRE2_UNSET || found[0] > found[1] ? kNone
                                                        : std::pair<std::size_t, std::size_t>(found[0], found[1]);
}

std::uint32_t Regex::groups() const { return pcre2_get_ovector_count(state_->data.get()); }

std::pair<std::string_view, std::uint32_t> Regex::name_at(std::uint32_t at) const {
  std::uint32_t count = 0, entry_bytes = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(state_->code.get(), PCRE2_INFO_NAMECOUNT, &count);
  if (at >= count) return {};
  pcre2_pattern_info(state_->code.get(), PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
  pcre2_pattern_info(state_->code.get(), PCRE2_INFO_NAMETABLE, &table);
  const PCRE2_SPTR entry = table + std::size_t{at} * entry_bytes;
  return {std::string_view(reinterpret_cast<const char*>(entry + 2)), std::uint32_t{entry[0]} << 8 | entry[1]};
}

bool Regex::replace(std::string_view subject, std::string_view replacement, std::string& out) const {
  const std::size_t before = out.size();
  std::size_t at = 0, search_from = 0;
  while (search_from <= subject.size()) {
    const Outcome outcome = search(subject, search_from);
    if (outcome == Outcome::limit) {
      out.resize(before);
      return false;
    }
    const auto [begin, end] = group(0);
    if (outcome == Outcome::no || begin == std::string_view::npos || begin < at) break;
    out += subject.substr(at, begin - at);
    for (std::size_t i = 0; i < replacement.size(); ++i) {
      if (replacement[i] != '\\' || i + 1 == replacement.size()) {
        out += replacement[i];
        continue;
      }
      const char next = replacement[++i];
      if (next >= '0' && next <= '9') {
        const auto [from, to] = group(static_cast<std::uint32_t>(next - '0'));
        if (from != std::string_view::npos) out += subject.substr(from, to - from);
      } else {
        if (next != '\\') out += '\\';
        out += next;
      }
    }
    at = end;
    search_from = end;
    if (begin != end) continue;
    // An empty match: go on behind the next character, which is UTF-8 or a single byte.
    do ++search_from;
    while (search_from < subject.size() && (static_cast<unsigned char>(subject[search_from]) & 0xc0) == 0x80);
  }
  out += subject.substr(at);
  return true;
}

}  // namespace enclave::pipeline
