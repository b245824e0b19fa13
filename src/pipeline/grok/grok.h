#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pipeline/grok/pattern_library.h"

namespace enclave::pipeline::grok {

/// How far a pattern got on a text that it does not match.
struct Explanation {
  std::vector<std::string> parts;  ///< what the pattern says in its order: calls and what stands between them
  std::size_t matched = 0;         ///< how many of them, from the first on, match together; all for a match
  std::size_t begin = 0;           ///< where in the text they matched
  std::size_t end = 0;             ///< what follows here does not match the next part
};

/// One pattern such as "%{IP:client} %{WORD:method}", compiled once and used for each event. Allocates nothing while it
/// matches. Bounded in time: what would take too long ends as Outcome::limit. One thread at a time.
class Grok {
 public:
  struct Options {
    bool named_captures_only = true;       ///< %{WORD} without a field captures nothing
    std::uint32_t steps_max = 30'000'000;  ///< of the matcher, at least 1
  };
  enum class Type : std::uint8_t { text, integer, real };
  struct Capture {
    std::string field;  ///< as written: "client", "[source][ip]"
    Type type = Type::text;
    std::string unknown_type;  ///< a type that does not exist: the text stays one
    std::uint32_t group = 0;
  };
  enum class Outcome : std::uint8_t { no, yes, limit };

  /// Fault::invalid, limit or unsupported with what is wrong.
  static Result<Grok> compile(std::string_view pattern, const PatternLibrary& library, const Options& options);
  Grok(Grok&&) noexcept;
  Grok& operator=(Grok&&) noexcept;
  ~Grok();

  /// In the order in which Logstash sets them: those of one name together, at the place of the first.
  std::span<const Capture> captures() const;
  /// Anywhere in `subject`, of any bytes.
  Outcome match(std::string_view subject) const;
  /// Of the latest match; its data() is null where the group took no part.
  std::string_view group(std::uint32_t number, std::string_view subject) const {
    const std::size_t begin = spans_[2 * std::size_t{number}], end = spans_[2 * std::size_t{number} + 1];
    // With \K a group may begin behind its end.
    if (begin == std::string_view::npos || begin > end || subject.data() == nullptr) return {};
    return {subject.data() + begin, end - begin};
  }

 private:
  struct State;
  explicit Grok(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
  const std::size_t* spans_ = nullptr;  ///< where the groups of the latest match begin and end; in state_
};

/// The parts of a pattern: cut before and behind each %{…} that stands in no group and in no class. Joined they are the
/// pattern.
std::vector<std::string> parts_of(std::string_view pattern);

/// For people: compiles anew for each question. The pattern must be one that compiles.
Result<Explanation> explain(std::string_view pattern, const PatternLibrary& library, std::string_view text);

}  // namespace enclave::pipeline::grok
