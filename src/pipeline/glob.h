#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"

namespace enclave::pipeline {

/// Levels of directories that `**` may stand for, as in Filebeat; 0 is one of them.
inline constexpr int kGlobDepthMax = 8;

/// A path pattern, as in Filebeat: `*`, `?`, `[a-z]`, `[^a]` and `\` within one component of the path; `**` as a whole
/// component, once, stands for 0 to 8 directories (as the last one: for everything 1 to 8 levels below).
class Glob {
 public:
  /// Fault::invalid with what is wrong with the pattern.
  static Result<Glob> parse(std::string_view pattern);

  bool matches(std::string_view path) const;
  /// A path that it matches, with `filling` for what a wildcard may stand for; "" when there is none of that form.
  std::string example(std::string_view filling) const;
  const std::string& text() const { return text_; }
  /// No wildcard: it names one file.
  bool is_literal() const { return literal_; }
  /// Has no "/": for patterns that are matched against names instead of paths.
  bool is_name() const { return components_.size() == 1 && !absolute_; }

 private:
  friend class GlobWalk;
  struct Component {
    std::string text;  ///< unescaped when it is literal
    enum class Kind : std::uint8_t { literal, wildcard, any_depth } kind;
  };
  bool matches_from(std::size_t component, std::string_view rest, int depth) const;

  std::string text_;
  std::vector<Component> components_;
  bool absolute_ = false;
  bool literal_ = true;
};

/// Whether `name` fits one component of a pattern, such as "*.log". Linear in most cases, |pattern| × |name| at worst.
bool component_matches(std::string_view pattern, std::string_view name);

/// What an expansion meets.
struct GlobVisitor {
  /// May be a file; it need not exist when the pattern names it. `symlink`: its directory entry is known to be one.
  std::function<void(const std::string& path, bool symlink)> candidate;
  /// Was listed: new names in it matter.
  std::function<void(const std::string& directory)> directory;
  /// Could not be listed.
  std::function<void(const std::string& directory, const Error& error)> failure;
};

/// Directories that one expansion lists at most; what is beyond is reported as a failure.
inline constexpr std::size_t kGlobDirectoriesMax = 20'000;

/// Finds what may match, in the byte order of the names within each directory. Symbolic links to directories are
/// followed, but none is entered twice.
void expand(Files& files, const Glob& glob, const GlobVisitor& visitor);

}  // namespace enclave::pipeline
