#include "pipeline/logstash/field_reference.h"

#include <charconv>

namespace enclave::pipeline::logstash {
namespace {

std::string unescape(std::string_view name, FieldReference::Escapes escapes) {
  const bool percent = escapes == FieldReference::Escapes::percent;
  std::string out(name);
  if (escapes == FieldReference::Escapes::none) return out;
  const auto replace = [&out](std::string_view code, char sign) {
    for (std::size_t at = 0; (at = out.find(code, at)) != std::string::npos; ++at)
      out.replace(at, code.size(), 1, sign);
  };
  replace(percent ? "%5B" : "&#91;", '[');
  replace(percent ? "%5D" : "&#93;", ']');
  return out;
}

FieldReference::Segment segment_of(std::string name) {
  FieldReference::Segment segment;
  const char* end = name.data() + name.size();
  const auto [stop, fault] = std::from_chars(name.data(), end, segment.index);
  segment.is_index = fault == std::errc() && stop == end;
  if (!segment.is_index) segment.index = 0;
  segment.name = std::move(name);
  return segment;
}

/// The names between the brackets; an embedded reference, "[[a][b]]", is the same as "[a][b]".
Result<std::vector<std::string_view>> split(std::string_view text) {
  std::vector<std::string_view> names;
  if (text.find_first_of("[]") == std::string_view::npos) {
    names.push_back(text);
    return names;
  }
  const auto bad = [text](std::string_view why) {
    constexpr std::size_t kShown = 80;
    return Error{Fault::invalid, "\"{}{}\" names no field: {}; write [a][b]", text.substr(0, kShown),
                 text.size() > kShown ? "…" : "", why};
  };
  std::size_t depth = 0, begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool after_closing = i > 0 && text[i - 1] == ']';
    if (text[i] == '[') {
      if (begin != i) return bad("text stands before a bracket");
      ++depth;
      begin = i + 1;
    } else if (text[i] == ']') {
      if (depth == 0) return bad("a \"]\" closes nothing");
      if (begin == i && !after_closing) return bad("nothing stands between two brackets");
      if (begin < i) names.push_back(text.substr(begin, i - begin));
      --depth;
      begin = i + 1;
    } else if (after_closing) {
      return bad("text stands behind a bracket");
    }
  }
  if (depth > 0) return bad("a \"[\" is never closed");
  return names;
}

}  // namespace

Result<FieldReference> FieldReference::parse(std::string_view text, Mode mode, Escapes escapes) {
  FieldReference out;
  auto names = split(text);
  if (!names && mode == Mode::strict) return std::move(names).error();
  if (!names) {
    out.segments_.push_back({std::string(text), 0, false});
    return out;
  }
  for (const auto name : *names) out.segments_.push_back(segment_of(unescape(name, escapes)));
  return out;
}

std::string FieldReference::text() const {
  std::string out;
  for (const auto& segment : segments_) out += "[" + segment.name + "]";
  return out;
}

}  // namespace enclave::pipeline::logstash
