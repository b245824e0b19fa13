#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
  Outcome search(std::string_view subject) const;

 private:
  struct State;
  explicit Regex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace enclave::pipeline
