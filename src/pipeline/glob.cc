#include "pipeline/glob.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/files.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPatternBytesMax = 4096;
constexpr std::string_view kWild = "*?[\\";

// The character at the front, as UTF-8; a byte that is not UTF-8 is a character of its own.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (bytes > text.size()) return 1;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 1;
  return bytes;
}

std::string_view take_character(std::string_view& text) {
  const auto character = text.substr(0, character_bytes(text));
  text.remove_prefix(character.size());
  return character;
}

// UTF-8 sorts by bytes as by code points, so that characters compare as texts.
std::string_view take_escaped(std::string_view& pattern) {
  if (pattern.size() > 1 && pattern[0] == '\\') pattern.remove_prefix(1);
  return take_character(pattern);
}

// `pattern` stands behind '['. True when the class is whole; then it is consumed with its ']'.
bool class_matches(std::string_view& pattern, std::string_view character, bool& matches) {
  const bool negated = !pattern.empty() && (pattern[0] == '^' || pattern[0] == '!');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  for (bool first = true; !pattern.empty(); first = false) {
    if (pattern[0] == ']' && !first) {
      pattern.remove_prefix(1);
      matches = found != negated;
      return true;
    }
    const auto low = take_escaped(pattern);
    auto high = low;
    if (pattern.size() > 1 && pattern[0] == '-' && pattern[1] != ']') {
      pattern.remove_prefix(1);
      high = take_escaped(pattern);
    }
    found = found || (low <= character && character <= high);
  }
  return false;
}

// Matches one element of the pattern that is not '*' against the front of `name`; both are consumed.
bool element_matches(std::string_view& pattern, std::string_view& name) {
  if (pattern[0] == '?') {
    pattern.remove_prefix(1);
    take_character(name);
    return true;
  }
  if (pattern[0] == '[') {
    pattern.remove_prefix(1);
    bool matches = false;
    return class_matches(pattern, take_character(name), matches) && matches;
  }
  const auto wanted = take_escaped(pattern);
  if (!name.starts_with(wanted)) return false;
  name.remove_prefix(wanted.size());
  return true;
}

Result<void> check_component(std::string_view component, std::string_view whole) {
  for (std::string_view rest = component; !rest.empty();) {
    if (rest == "\\") return Error{Fault::invalid, "pattern \"{}\" ends in a backslash that escapes nothing", whole};
    if (rest[0] == '[') {
      rest.remove_prefix(1);
      bool ignored = false;
      if (!class_matches(rest, "", ignored))
        return Error{Fault::invalid, "pattern \"{}\" has a \"[\" without its \"]\"; write \\[ for the character itself",
                     whole};
    } else if (rest[0] == '*') {
      rest.remove_prefix(1);
    } else {
      take_escaped(rest);
    }
  }
  return {};
}

std::string unescaped(std::string_view component) {
  std::string text;
  while (!component.empty()) text += take_escaped(component);
  return text;
}

bool has_wildcard(std::string_view component) {
  for (std::size_t i = 0; i < component.size(); ++i) {
    if (component[i] == '\\') {
      ++i;
    } else if (kWild.find(component[i]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool component_matches(std::string_view pattern, std::string_view name) {
  // After a '*' only the latest one needs to be tried again: what an earlier one could still take, it takes as well.
  std::string_view star_pattern, star_name;
  bool starred = false;
  while (!name.empty() || !pattern.empty()) {
    if (!pattern.empty() && pattern[0] == '*') {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      starred = true;
      star_pattern = pattern;
      star_name = name;
      continue;
    }
    if (!pattern.empty() && !name.empty() && element_matches(pattern, name)) continue;
    if (!starred || star_name.empty()) return false;
    take_character(star_name);
    pattern = star_pattern;
    name = star_name;
  }
  return true;
}

Result<Glob> Glob::parse(std::string_view pattern) {
  if (pattern.empty()) return Error{Fault::invalid, "an empty pattern matches no file"};
  if (pattern.size() > kPatternBytesMax)
    return Error{Fault::limit, "a pattern of {} bytes; at most {}", pattern.size(), kPatternBytesMax};
  if (pattern.find('\0') != std::string_view::npos) return Error{Fault::invalid, "a pattern holds a NUL byte"};
  if (pattern.back() == '/') return Error{Fault::invalid, "pattern \"{}\" names a directory, not files", pattern};
  Glob glob;
  glob.text_ = pattern;
  glob.absolute_ = pattern[0] == '/';
  bool deep = false;
  for (std::string_view rest = pattern; !rest.empty();) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "**") {
      if (deep) return Error{Fault::invalid, "pattern \"{}\" has ** twice; once is allowed", pattern};
      deep = true;
      glob.components_.push_back({"**", Component::Kind::any_depth});
    } else if (has_wildcard(part)) {
      TRY(check_component(part, pattern));
      glob.components_.push_back({std::string(part), Component::Kind::wildcard});
    } else {
      TRY(check_component(part, pattern));
      glob.components_.push_back({unescaped(part), Component::Kind::literal});
      continue;
    }
    glob.literal_ = false;
  }
  if (glob.components_.empty()) return Error{Fault::invalid, "pattern \"{}\" names a directory, not files", pattern};
  return glob;
}

bool Glob::matches(std::string_view path) const {
  if (path.empty() || (path[0] == '/') != absolute_) return false;
  if (absolute_) path.remove_prefix(1);
  return matches_from(0, path, 0);
}

bool Glob::matches_from(std::size_t component, std::string_view rest, int depth) const {
  if (component == components_.size() || rest.empty()) return component == components_.size() && rest.empty();
  const auto slash = rest.find('/');
  const auto name = rest.substr(0, slash);
  const auto after = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  const Component& here = components_[component];
  if (here.kind == Component::Kind::any_depth) {
    if (component + 1 == components_.size()) return std::count(rest.begin(), rest.end(), '/') < kGlobDepthMax;
    if (matches_from(component + 1, rest, 0)) return true;
    return depth < kGlobDepthMax && slash != std::string_view::npos && matches_from(component, after, depth + 1);
  }
  const bool fits = here.kind == Component::Kind::literal ? name == here.text : component_matches(here.text, name);
  return fits && matches_from(component + 1, after, 0) && (slash == std::string_view::npos || !after.empty());
}

std::string Glob::example(std::string_view filling) const {
  std::string path;
  for (const Component& component : components_) {
    std::string name = component.text;
    if (component.kind == Component::Kind::any_depth) {
      if (&component != &components_.back()) continue;
      name = filling;
    } else if (component.kind == Component::Kind::wildcard) {
      name.clear();
      for (std::string_view rest = component.text; !rest.empty();) {
        if (rest[0] == '*') {
          rest.remove_prefix(1);
          name += filling;
        } else if (rest[0] == '?') {
          rest.remove_prefix(1);
          name += 'x';
        } else if (rest[0] == '[') {
          const auto inside = rest.substr(1);
          bool ignored = false;
          rest.remove_prefix(1);
          class_matches(rest, "", ignored);
          for (char c = '~'; c > ' '; --c) {
            std::string_view again = inside;
            bool matches = false;
            if (c == '/' || !class_matches(again, {&c, 1}, matches) || !matches) continue;
            name += c;
            break;
          }
        } else {
          name += take_escaped(rest);
        }
      }
    }
    path += (path.empty() && !absolute_ ? "" : "/") + name;
  }
  return matches(path) ? path : std::string();
}

class GlobWalk {
 public:
  GlobWalk(Files& files, const Glob& glob, const GlobVisitor& visitor)
      : files_(files), glob_(glob), visitor_(visitor) {}

  void run() { enter(glob_.absolute_ ? "/" : "", 0, 0); }

 private:
  using Kind = Glob::Component::Kind;

  bool is_last(std::size_t component) const { return component + 1 == glob_.components_.size(); }

  void enter(const std::string& directory, std::size_t component, int depth) {
    const auto& here = glob_.components_[component];
    if (here.kind == Kind::literal) {
      const std::string path = join_path(directory, here.text);
      if (is_last(component)) return visitor_.candidate(path, false);
      return enter(path, component + 1, 0);
    }
    const std::string listed = directory.empty() ? "." : directory;
    if (++listed_ > kGlobDirectoriesMax) {
      if (listed_ == kGlobDirectoriesMax + 1)
        visitor_.failure(listed, Error{Fault::limit, "{}: more than {} directories match; name them more narrowly",
                                       glob_.text(), kGlobDirectoriesMax});
      return;
    }
    auto entries = files_.list(listed);
    if (!entries) return visitor_.failure(listed, entries.error());
    visitor_.directory(listed);
    std::sort(entries->begin(), entries->end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const auto& entry : *entries) visit(directory, entry, component, depth);
    // No level at all: what stands behind ** is looked for here as well. Literals would be reported missing everywhere.
    if (here.kind != Kind::any_depth || is_last(component)) return;
    const auto& next = glob_.components_[component + 1];
    if (next.kind == Kind::literal && !holds(*entries, next.text)) return;
    if (next.kind == Kind::literal) return enter(directory, component + 1, 0);
    for (const auto& entry : *entries) visit(directory, entry, component + 1, 0);
  }

  static bool holds(const std::vector<DirectoryEntry>& entries, std::string_view name) {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name == name; });
  }

  void visit(const std::string& directory, const DirectoryEntry& entry, std::size_t component, int depth) {
    const auto& here = glob_.components_[component];
    const bool deep = here.kind == Kind::any_depth;
    if (!deep && !component_matches(here.text, entry.name)) return;
    const bool link = entry.kind == FileKind::symlink;
    // Ten thousand files are looked at in every scan: no more work for each than necessary.
    std::string path;
    path.reserve(directory.size() + 1 + entry.name.size());
    path += directory;
    if (!directory.empty() && directory.back() != '/') path += '/';
    path += entry.name;
    if (is_last(component) && (entry.kind == FileKind::regular || link)) visitor_.candidate(path, link);
    if (is_last(component) && !deep) return;
    if (deep && depth + (is_last(component) ? 1 : 0) >= kGlobDepthMax) return;
    if (entry.kind != FileKind::directory && !(link && is_new_directory(path, component))) return;
    if (deep) return enter(path, component, depth + 1);
    enter(path, component + 1, 0);
  }

  // A link to a directory above itself would otherwise be walked over and over.
  bool is_new_directory(const std::string& path, std::size_t component) {
    const auto info = files_.info(path);
    return info && info->kind == FileKind::directory &&
           linked_.insert({info->id.device, info->id.inode, component}).second;
  }

  Files& files_;
  const Glob& glob_;
  const GlobVisitor& visitor_;
  std::size_t listed_ = 0;
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::size_t>> linked_;
};

void expand(Files& files, const Glob& glob, const GlobVisitor& visitor) { GlobWalk(files, glob, visitor).run(); }

}  // namespace enclave::pipeline
