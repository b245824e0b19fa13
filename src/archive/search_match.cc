#include "archive/search_match.h"

#include <fnmatch.h>
#include <simdjson.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/time.h"

namespace enclave::archive {
namespace {

constexpr std::size_t kRecordBytesMax = 256 << 20;
/// A line whose `raw` is in base64 shows nothing of its text.
constexpr std::string_view kOpaque = "\"raw_b64\":";

std::size_t index_of(std::string_view text, std::string_view needle, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// A short record leaves these to the full one that it names.
bool is_shared(std::string_view field) {
  return field == "time" || field == "boot" || field == "boot_ns" || field == "src";
}

std::string needle_of(const std::string& text) {
  if (!is_utf8(text)) return std::string(kOpaque);
  std::string needle;
  event::append_json_escaped(needle, text);
  return needle;
}

bool equals(simdjson::dom::element element, const std::string& value) {
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS) return text == value;
  simdjson::dom::array items;
  if (element.get_array().get(items) == simdjson::SUCCESS)
    return std::any_of(items.begin(), items.end(), [&](const auto item) { return equals(item, value); });
  return !element.is_object() && simdjson::minify(element) == value;
}

bool member_equals(simdjson::dom::element root, std::string_view name, const std::string& value) {
  simdjson::dom::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS) return false;
  simdjson::dom::element found;
  if (object.at_key(name).get(found) == simdjson::SUCCESS) return equals(found, value);
  const auto dot = name.find('.');
  if (dot != std::string_view::npos && object.at_key(name.substr(0, dot)).get(found) == simdjson::SUCCESS)
    return member_equals(found, name.substr(dot + 1), value);
  // A bare name is looked for one step down too: _PID for journal._PID.
  for (const auto member : object)
    if (member.value.is_object() && member.value.at_key(name).get(found) == simdjson::SUCCESS && equals(found, value))
      return true;
  return false;
}

bool field_matches(const event::Record& record, const std::string& name, const std::string& value) {
  if (name == "seq") return std::to_string(record.seq) == value;
  if (name == "time") return format_time(record.wall_ns) == value;
  if (name == "boot") return record.boot_id == value;
  if (name == "src") return record.source == value;
  if (name == "pos") return record.position == value;
  if (name == "raw") return record.raw == value;
  if (record.fields.empty()) return false;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  return parser.parse(record.fields).get(root) == simdjson::SUCCESS && member_equals(root, name, value);
}

}  // namespace

bool source_matches(const std::vector<std::string>& patterns, const std::string& source) {
  if (patterns.empty()) return true;
  const auto colon = source.find(':');
  const auto at = source.rfind('@');
  const std::size_t begin = colon == std::string::npos ? 0 : colon + 1;
  const std::string path = source.substr(begin, at == std::string::npos || at < begin ? at : at - begin);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), source.c_str(), 0) == 0 || fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
  });
}

Matcher::Matcher(const SearchOptions& options, bool check_source, bool check_time)
    : options_(options), check_source_(check_source), check_time_(check_time) {
  for (const auto& text : options.texts)
    if (!text.empty()) needles_.push_back(needle_of(text));
  for (const auto& [name, value] : options.fields)
    if (!value.empty() && !is_shared(name)) needles_.push_back(needle_of(value));
  // The longest is the rarest; it leads.
  std::sort(needles_.begin(), needles_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

Result<void> Matcher::feed(std::string_view piece) {
  bytes_ += piece.size();
  const auto last = piece.rfind('\n');
  if (last == std::string_view::npos) {
    if (rest_.size() + piece.size() > kRecordBytesMax)
      return Error{Fault::limit, "a record of more than {} bytes", kRecordBytesMax};
    rest_ += piece;
    return {};
  }
  if (!rest_.empty()) {
    const auto first = piece.find('\n') + 1;
    rest_ += piece.substr(0, first);
    TRY(scan(rest_));
    rest_.clear();
    TRY(scan(piece.substr(first, last + 1 - first)));
  } else {
    TRY(scan(piece.substr(0, last + 1)));
  }
  rest_ = piece.substr(last + 1);
  return {};
}

Result<void> Matcher::finish() {
  if (!rest_.empty()) return Error{Fault::corrupt, "the last record is not whole"};
  return {};
}

/// Whole lines. Jumps from one place where a record may match to the next, without reading what lies between.
Result<void> Matcher::scan(std::string_view lines) {
  constexpr auto kNone = std::string_view::npos;
  std::size_t at = 0;
  std::size_t hit = needles_.empty() ? 0 : index_of(lines, needles_[0], 0);
  std::size_t opaque = needles_.empty() ? kNone : index_of(lines, kOpaque, 0);
  while (at < lines.size()) {
    const std::size_t next = needles_.empty() ? at : std::min(hit, opaque);
    if (next == kNone) break;
    const auto before = next == 0 ? kNone : lines.rfind('\n', next - 1);
    const std::size_t begin = before == kNone ? 0 : before + 1;
    const std::size_t end = lines.find('\n', next);
    const std::string_view line = lines.substr(begin, end - begin);
    at = end + 1;
    if (may_match(line)) TRY(look_at(line, lines.substr(0, begin)));
    if (needles_.empty()) continue;
    if (hit != kNone && hit < at) hit = index_of(lines, needles_[0], at);
    if (opaque != kNone && opaque < at) opaque = index_of(lines, kOpaque, at);
  }
  // What follows may name a full record of these lines.
  if (lines.empty()) return {};
  const auto before = lines.size() < 2 ? kNone : lines.rfind('\n', lines.size() - 2);
  const std::size_t begin = before == kNone ? 0 : before + 1;
  return find_context(lines.substr(begin, lines.size() - 1 - begin), lines.substr(0, begin));
}

/// Has the reader know the full record that `line` is, or names. `before`: the whole lines before it.
Result<void> Matcher::find_context(std::string_view line, std::string_view before) {
  const auto named = event::context_seq(line);
  if (named && named == full_seq_) return {};
  if (named) {
    const std::string head = fmt::format(R"({{"seq":{},)", *named);
    const auto at = before.rfind("\n" + head);
    if (at == std::string_view::npos && !before.starts_with(head))
      return Error{Fault::corrupt, "a record names record {}, which is not there", *named};
    const std::size_t begin = at == std::string_view::npos ? 0 : at + 1;
    line = before.substr(begin, before.find('\n', begin) - begin);
  }
  const event::Record record = TRY(reader_.read(line));
  full_seq_ = record.seq;
  full_ = line;
  return {};
}

bool Matcher::may_match(std::string_view line) const {
  bool all = true;
  for (const auto& needle : needles_) all = all && index_of(line, needle, 0) != std::string_view::npos;
  return all || index_of(line, kOpaque, 0) != std::string_view::npos;
}

Result<void> Matcher::look_at(std::string_view line, std::string_view before) {
  TRY(find_context(line, before));
  event::Record record = TRY(reader_.read(line));
  if (!matches(record)) return {};
  hits_.push_back({"", 0, event::expanded(line, full_), std::move(record)});
  if (options_.limit > 0 && hits_.size() > options_.limit) hits_.pop_front();
  return {};
}

bool Matcher::matches(const event::Record& record) const {
  if (check_time_ && (record.wall_ns < options_.since_ns || record.wall_ns >= options_.until_ns)) return false;
  if (check_source_ && !source_matches(options_.sources, record.source)) return false;
  for (const auto& text : options_.texts)
    if (record.raw.find(text) == std::string::npos) return false;
  for (const auto& [name, value] : options_.fields)
    if (!field_matches(record, name, value)) return false;
  return true;
}

}  // namespace enclave::archive
