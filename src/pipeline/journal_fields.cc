#include "pipeline/journal_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/encoding.h"
#include "event/record.h"

namespace enclave::pipeline {
namespace {

// The longest front of `text`, which is UTF-8, of at most `bytes` bytes that does not break a character.
std::string_view utf8_front(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Takes what it writes from `left`. True when the value was cut.
bool append_value(std::string& out, std::string_view value, std::size_t& left) {
  const bool text = is_utf8(value);
  const auto kept = text ? utf8_front(value, left) : value.substr(0, left);
  const bool cut = kept.size() < value.size();
  left -= kept.size();
  if (text && !cut) {
    out += '"';
    event::append_json_escaped(out, kept);
    out += '"';
    return false;
  }
  if (text) {
    out += "{\"text\":\"";
    event::append_json_escaped(out, kept);
    out += '"';
  } else {
    out += "{\"b64\":\"";
    out += to_base64(kept);
    out += '"';
  }
  if (cut) fmt::format_to(std::back_inserter(out), ",\"cut\":{}", value.size() - kept.size());
  out += '}';
  return cut;
}

}  // namespace

void JournalFields::clear() {
  fields_.clear();
  message_ = {};
  message_cut_ = 0;
  has_message_ = false;
  left_out_ = 0;
}

void JournalFields::add(std::string_view name, std::string_view value) {
  if (name == "MESSAGE" && !has_message_) {
    has_message_ = true;
    message_ = value.substr(0, kBytesMax);
    message_cut_ = value.size() - message_.size();
  } else if (fields_.size() < kFieldsMax) {
    fields_.push_back({name, value});
  } else {
    ++left_out_;
  }
}

void JournalFields::add_stored(std::string_view data) {
  const auto equals = data.find('=');
  if (equals == std::string_view::npos || equals == 0) return;
  add(data.substr(0, equals), data.substr(equals + 1));
}

bool JournalFields::has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const Field& field) { return field.name == name; });
}

std::size_t JournalFields::append_to(std::string& out) const {
  // Values of one name stand together, names in the order in which they first came.
  std::vector<std::size_t> by_name(fields_.size());
  std::iota(by_name.begin(), by_name.end(), 0);
  std::stable_sort(by_name.begin(), by_name.end(),
                   [&](std::size_t a, std::size_t b) { return fields_[a].name < fields_[b].name; });
  std::vector<std::pair<std::size_t, std::size_t>> groups;  // first in by_name, number
  for (std::size_t i = 0; i < by_name.size(); ++i) {
    if (i == 0 || fields_[by_name[i]].name != fields_[by_name[i - 1]].name) groups.emplace_back(i, 0);
    ++groups.back().second;
  }
  std::sort(groups.begin(), groups.end(),
            [&](const auto& a, const auto& b) { return by_name[a.first] < by_name[b.first]; });
  std::size_t left = kBytesMax;
  std::size_t cut = left_out_;
  out += "\"journal\":{";
  for (const auto& [first, count] : groups) {
    if (out.back() != '{') out += ',';
    out += event::json_text(fields_[by_name[first]].name.substr(0, 256));
    out += ':';
    if (count > 1) out += '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      cut += append_value(out, fields_[by_name[first + i]].value, left) ? 1 : 0;
    }
    if (count > 1) out += ']';
  }
  out += '}';
  return cut;
}

}  // namespace enclave::pipeline
