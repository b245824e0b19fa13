#include "pipeline/logstash/text_reference.h"

#include <charconv>

#include "base/time.h"

namespace enclave::pipeline::logstash {
namespace {

using Part = TextReference::Part;

Result<Part> part_of(std::string_view whole) {
  Part part;
  part.text = whole;
  const std::string_view inner = whole.substr(2, whole.size() - 3);
  const bool java = inner.starts_with('{') && inner.ends_with('}') && inner.size() >= 2;
  if (inner == "+%s") {
    part.kind = Part::Kind::epoch;
  } else if (inner == "{TIME_NOW}") {
    part.kind = Part::Kind::now;
  } else if (java || inner.starts_with('+')) {
    part.kind = Part::Kind::date;
    const std::string_view pattern = java ? inner.substr(1, inner.size() - 2) : inner.substr(1);
    auto date = DatePattern::compile(pattern, java ? DatePattern::Language::java : DatePattern::Language::joda);
    if (!date) return std::move(date).error().within(whole);
    part.date = std::move(*date);
  } else {
    part.kind = Part::Kind::field;
    auto field = FieldReference::parse(inner);
    if (!field) return std::move(field).error().within(whole);
    part.field = std::move(*field);
  }
  return part;
}

}  // namespace

Result<TextReference> TextReference::compile(std::string_view text) {
  TextReference out;
  const auto literal = [&out](std::string_view piece) {
    if (piece.empty()) return;
    if (out.parts_.empty() || out.parts_.back().kind != Part::Kind::literal) out.parts_.emplace_back();
    out.parts_.back().text += piece;
  };
  while (!text.empty()) {
    const std::size_t open = text.find("%{");
    std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    if (close == std::string_view::npos) break;
    if (text.substr(open).starts_with("%{{") && text.substr(close).starts_with("}}")) ++close;
    literal(text.substr(0, open));
    const std::string_view whole = text.substr(open, close + 1 - open);
    if (whole == "%{}") {
      literal(whole);
    } else {
      out.parts_.push_back(TRY(part_of(whole)));
    }
    if (out.parts_.size() > kPartsMax) return Error{Fault::limit, "a text of more than {} references", kPartsMax};
    text.remove_prefix(close + 1);
  }
  literal(text);
  return out;
}

void TextReference::append_time(const Part& part, std::int64_t event_ns, std::int64_t now_ns, std::string& out) const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (part.kind == Part::Kind::date) return part.date->append(event_ns, utc_, out);
  if (part.kind == Part::Kind::now) {
    out += format_time(now_ns);
    return;
  }
  char digits[24];
  const std::int64_t seconds = event_ns / kSecond - (event_ns % kSecond < 0);
  const auto [end, fault] = std::to_chars(digits, digits + sizeof digits, seconds);
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace enclave::pipeline::logstash
