#include "pipeline/filebeat/event_format.h"

#include "pipeline/filebeat/event_keys.h"

namespace enclave::pipeline::filebeat {

Result<EventFormat> EventFormat::compile(std::string_view text) {
  EventFormat out;
  const std::string_view whole = text;
  const auto literal = [&out](std::string_view piece) {
    if (piece.empty()) return;
    if (out.parts_.empty() || out.parts_.back().is_field || out.parts_.back().date) out.parts_.emplace_back();
    out.parts_.back().text += piece;
  };
  while (!text.empty()) {
    const std::size_t open = text.find("%{");
    if (open == std::string_view::npos) break;
    literal(text.substr(0, open));
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos)
      return Error{Fault::invalid, "{}: the reference that begins with {} has no }} at its end", whole,
                   text.substr(open)};
    const std::string_view inner = text.substr(open + 2, close - open - 2);
    text.remove_prefix(close + 1);
    Part& part = out.parts_.emplace_back();
    if (inner.starts_with('+')) {
      auto date = logstash::DatePattern::compile(inner.substr(1), logstash::DatePattern::Language::joda);
      if (!date) return std::move(date).error().within(whole);
      part.date = std::move(*date);
      continue;
    }
    const std::size_t end = inner.find(']');
    const bool has_end = inner.starts_with('[') && end != std::string_view::npos && end > 1;
    const std::string_view behind = has_end ? inner.substr(end + 1) : std::string_view();
    if (!has_end || (!behind.empty() && behind[0] != ':'))
      return Error{Fault::invalid, "{}: %{{{}}} is no reference; write %{{[field]}} or %{{+yyyy.MM.dd}}", whole, inner};
    part.is_field = true;
    part.text = inner.substr(1, end - 1);
    if (!behind.empty()) part.otherwise = behind.substr(1);
  }
  literal(text);
  return out;
}

bool EventFormat::append(const event::Document& event, std::string& out) const {
  static const logstash::Timezone kUtc = logstash::Timezone::utc();
  bool whole = true;
  for (const Part& part : parts_) {
    if (part.date) {
      part.date->append(event.wall_ns(), kUtc, out);
    } else if (!part.is_field) {
      out += part.text;
    } else if (const event::Value* const found = find_key(event.root(), part.text);
               found != nullptr && !found->is(event::Kind::null)) {
      append_text(*found, out);
    } else if (part.otherwise) {
      out += *part.otherwise;
    } else {
      whole = false;
    }
  }
  return whole;
}

std::optional<std::string_view> EventFormat::constant() const {
  if (parts_.empty()) return "";
  if (parts_.size() > 1 || parts_[0].is_field || parts_[0].date) return std::nullopt;
  return parts_[0].text;
}

}  // namespace enclave::pipeline::filebeat
