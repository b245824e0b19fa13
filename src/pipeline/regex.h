#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace enclave::pipeline {

/// A regular expression as people's files have them (Perl's syntax; PCRE2 with JIT). Bounded: a search that would take
/// too long ends as Outcome::limit. One thread at a time.
class Regex {
 public:
  enum class Outcome : std::uint8_t { no, yes, limit };

  /// Fault::invalid with what is wrong and at which byte.
  static Result<Regex> compile(std::string_view pattern);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// Anywhere in `subject`; bytes that are not UTF-8 are no hindrance.
  Outcome search(std::string_view subject) const { return search(subject, 0); }
  /// From byte `from` on. After a `yes`, group() tells what it found.
  Outcome search(std::string_view subject, std::size_t from) const;
  /// Bytes [first, second) of group `number` of the latest match, 0 being all of it; both npos for none.
  std::pair<std::size_t, std::size_t> group(std::uint32_t number) const;
  /// How many there are, with 0.
  std::uint32_t groups() const;
  /// The `at`th of the named groups, in the order of names, and its number; "" behind the last one.
  std::pair<std::string_view, std::uint32_t> name_at(std::uint32_t at) const;

  /// Appends `subject` with each match replaced; `\1` to `\9` and `\0` stand for groups. False, with `out` as it was,
  /// when a search ended at its limit.
  bool replace(std::string_view subject, std::string_view replacement, std::string& out) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace enclave::pipeline
