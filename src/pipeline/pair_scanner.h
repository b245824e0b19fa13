#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "pipeline/byte_set.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {

/// What parts two things: any byte of a set, or what an expression matches.
class Splitter {
 public:
  Splitter() = default;
  explicit Splitter(std::string_view set) : set_(set) {}
  explicit Splitter(Regex regex) : regex_(std::move(regex)) {}

  void begin(std::string_view text);
  /// Bytes of the splitter at `at`, 0 for none there.
  std::size_t length_at(std::string_view text, std::size_t at);
  /// A search ended at its limit: from there on nothing is found.
  bool exhausted() const { return exhausted_; }

 private:
  ByteSet set_;
  std::optional<Regex> regex_;
  std::size_t next_ = 0, next_bytes_ = 0;  ///< of the expression: its first match at or behind where was asked last
  bool none_left_ = false, exhausted_ = false;
};

/// Finds names and their values in texts such as `a=1 b="two words" c=[3]`.
class PairScanner {
 public:
  struct Options {
    Splitter fields{" "}, values{"="};
    bool strict = false;   ///< no spaces around the splitter of values
    bool brackets = true;  ///< (…), […] and <…> hold values too
  };
  struct Pair {
    std::string_view key, value;
  };
  explicit PairScanner(Options options) : options_(std::move(options)) {}

  void begin(std::string_view text);
  std::optional<Pair> next();
  bool exhausted() const { return options_.fields.exhausted() || options_.values.exhausted(); }

 private:
  std::size_t spaces_from(std::size_t at) const;
  std::optional<std::string_view> enclosed_value();
  std::string_view bare_value();
  bool is_end(std::size_t at);

  Options options_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace enclave::pipeline
