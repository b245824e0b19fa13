#include <algorithm>
#include <utility>

#include "pipeline/grok/grok.h"

namespace enclave::pipeline::grok {
namespace {

/// Where a pattern may be cut: not within a group, a class or an escape.
class Cutter {
 public:
  explicit Cutter(std::string_view pattern) : pattern_(pattern) {}

  std::vector<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '|' && depth_ == 0 && !in_class_) return {std::string(pattern_)};
      const std::size_t call = call_bytes();
      if (call > 0 && depth_ == 0 && !in_class_) {
        cut();
        at_ += call;
        take_quantifier();
        cut();
        continue;
      }
      follow(c);
    }
    cut();
    return std::move(parts_);
  }

 private:
  std::size_t call_bytes() const {
    if (!pattern_.substr(at_).starts_with("%{")) return 0;
    const std::size_t close = pattern_.find('}', at_);
    return close == std::string_view::npos ? 0 : close + 1 - at_;
  }

  void follow(char c) {
    at_ += c == '\\' ? 2 : 1;
    at_ = std::min(at_, pattern_.size());
    if (c == '[') in_class_ = true;
    if (c == ']') in_class_ = false;
    if (in_class_) return;
    if (c == '(') ++depth_;
    if (c == ')' && depth_ > 0) --depth_;
  }

  /// A call that is optional or repeated is one part with what says so.
  void take_quantifier() {
    if (at_ < pattern_.size() && pattern_[at_] == '{') at_ = std::min(pattern_.find('}', at_), pattern_.size() - 1) + 1;
    while (at_ < pattern_.size() && std::string_view("?*+").find(pattern_[at_]) != std::string_view::npos) ++at_;
  }

  void cut() {
    if (at_ > from_) parts_.emplace_back(pattern_.substr(from_, at_ - from_));
    from_ = at_;
  }

  std::string_view pattern_;
  std::size_t at_ = 0, from_ = 0;
  int depth_ = 0;
  bool in_class_ = false;
  std::vector<std::string> parts_;
};

}  // namespace

std::vector<std::string> parts_of(std::string_view pattern) { return Cutter(pattern).run(); }

Result<Explanation> explain(std::string_view pattern, const PatternLibrary& library, std::string_view text) {
  TRY(Grok::compile(pattern, library, {}));
  Explanation out;
  out.parts = parts_of(pattern);
  for (std::size_t parts = out.parts.size(); parts > 0; --parts) {
    std::string prefix;
    for (std::size_t i = 0; i < parts; ++i) prefix += out.parts[i];
    const auto grok = Grok::compile(prefix, library, {});
    // What is cut off may hold the other end of a pair; then this prefix says nothing.
    if (!grok || grok->match(text) != Grok::Outcome::yes) continue;
    const std::string_view all = grok->group(0, text);
    out.matched = parts;
    out.begin = all.data() == nullptr ? 0 : static_cast<std::size_t>(all.data() - text.data());
    out.end = out.begin + all.size();
    break;
  }
  return out;
}

}  // namespace enclave::pipeline::grok
