#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave::pipeline::grok {

/// A named expression, as `%{NAME}` calls it.
struct Pattern {
  std::string_view name, expression;
};

/// Which names of fields the expressions give their captures.
enum class Vocabulary : std::uint8_t { legacy, ecs };

/// The expressions of one family; a family whose captures differ stands twice, once for each vocabulary.
struct PatternFamily {
  std::string_view name;
  std::span<const Pattern> both, legacy, ecs;
};

/// All families that come with the program.
std::span<const PatternFamily> pattern_families();

/// What names mean: those that come with the program, and above them those that the configuration brings.
class PatternLibrary {
 public:
  static constexpr std::size_t kFileBytesMax = 4 << 20;

  explicit PatternLibrary(Vocabulary vocabulary) : vocabulary_(vocabulary) {}

  /// Replaces what the name meant before.
  void add(std::string_view name, std::string_view expression);
  /// A pattern file: in each line a name, white space and its expression. Lines that begin with # and lines without an
  /// expression are skipped.
  void add_file(std::string_view text);

  /// "" for none: no expression is empty.
  std::string_view find(std::string_view name) const;
  /// The known name that is nearest to this unknown one, or "".
  std::string nearest_to(std::string_view name) const;

 private:
  Vocabulary vocabulary_;
  std::map<std::string, std::string, std::less<>> added_;
};

}  // namespace enclave::pipeline::grok
