#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "pipeline/grok/expression.h"

namespace enclave::pipeline::grok {
namespace {

bool is_name(char c) { return (c >= 'A' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_subname(char c) { return is_name(c) || c == '@' || c == ':' || c == '.' || c == '-'; }

/// One %{NAME:field:type=definition}.
struct Call {
  std::string_view name;        ///< NAME
  std::string_view whole;       ///< NAME:field:type
  std::string_view definition;  ///< what the call itself says that NAME means
  std::size_t bytes = 0;        ///< of all, braces too
};

/// Where the definition that begins at `at` ends: at a brace that closes none of its own.
std::size_t end_of_definition(std::string_view text, std::size_t at) {
  for (int depth = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '{') {
      ++depth;
    } else if (text[at] == '}' && depth-- == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

/// None when the text at "%{" is no call and stands for itself.
std::optional<Call> call_at(std::string_view text) {
  std::size_t at = 2;
  while (at < text.size() && is_name(text[at])) ++at;
  if (at == 2) return std::nullopt;
  Call call;
  call.name = text.substr(2, at - 2);
  if (at + 1 < text.size() && text[at] == ':' && is_subname(text[at + 1]))
    for (++at; at < text.size() && is_subname(text[at]);) ++at;
  call.whole = text.substr(2, at - 2);
  std::size_t close = text.find('}', at);
  if (at < text.size() && text[at] == '=') {
    close = end_of_definition(text, at + 1);
    if (close != std::string_view::npos) call.definition = text.substr(at + 1, close - at - 1);
  }
  if (close == std::string_view::npos) return std::nullopt;
  call.bytes = close + 1;
  return call;
}

class Expander {
 public:
  Expander(const PatternLibrary& library, bool capture_all) : library_(library), capture_all_(capture_all) {}

  Result<void> append(std::string_view pattern) {
    while (!pattern.empty()) {
      const std::size_t open = std::min(pattern.find("%{"), pattern.size());
      out_ += pattern.substr(0, open);
      pattern.remove_prefix(open);
      if (out_.size() > kExpandedBytesMax)
        return Error{Fault::limit, "the pattern unfolds to more than {} bytes", kExpandedBytesMax};
      if (pattern.empty()) break;
      const auto call = call_at(pattern);
      if (!call) {
        out_ += "%{";
        pattern.remove_prefix(2);
        continue;
      }
      TRY(append_call(*call));
      pattern.remove_prefix(call->bytes);
    }
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  std::string_view meaning_of(const Call& call) {
    if (!call.definition.empty())
      return defined_.insert_or_assign(std::string(call.name), call.definition).first->second;
    if (const auto found = defined_.find(call.name); found != defined_.end()) return found->second;
    return library_.find(call.name);
  }

  Result<void> append_call(const Call& call) {
    const std::string_view expression = meaning_of(call);
    if (expression.empty()) {
      const std::string near = library_.nearest_to(call.name);
      return Error{Fault::invalid, "there is no pattern \"{}\"{}", call.name,
                   near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)};
    }
    if (std::ranges::find(open_, call.name) != open_.end())
      return Error{Fault::invalid, "the pattern \"{}\" calls itself: {} > {}", call.name, fmt::join(open_, " > "),
                   call.name};
    if (open_.size() == kExpansionDepthMax)
      return Error{Fault::limit, "patterns call each other more than {} deep", kExpansionDepthMax};
    const bool capture = capture_all_ || call.whole.size() > call.name.size();
    out_ += capture ? fmt::format("(?<{}>", call.whole) : "(?:";
    open_.push_back(call.name);
    TRY(append(expression));
    open_.pop_back();
    out_ += ')';
    return {};
  }

  const PatternLibrary& library_;
  const bool capture_all_;
  std::map<std::string, std::string, std::less<>> defined_;
  std::vector<std::string_view> open_;
  std::string out_;
};

}  // namespace

Result<std::string> expand(std::string_view pattern, const PatternLibrary& library, bool capture_all) {
  Expander expander(library, capture_all);
  TRY(expander.append(pattern));
  return expander.take();
}

}  // namespace enclave::pipeline::grok
