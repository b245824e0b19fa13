#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "pipeline/cef_fields.h"
#include "pipeline/charset.h"
#include "pipeline/codec.h"
#include "pipeline/logstash/decorations.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Document;
using event::Kind;
using event::Value;
using logstash::FieldReference;
using logstash::TextReference;

constexpr std::size_t kHeads = 7;
constexpr std::size_t kExtensionsMax = 1000;
constexpr std::array<std::string_view, kHeads> kLegacyHeads = {
    "cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"};
constexpr std::array<std::string_view, kHeads> kEcsHeads = {
    "[cef][version]", "[observer][vendor]", "[observer][product]", "[observer][version]",
    "[event][code]",  "[cef][name]",        "[event][severity]"};

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '[' || c == ']';
}
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// `escapes`: what a backslash may stand before; n and r are line ends.
std::string_view unescaped(std::string_view text, std::string_view escapes, event::Arena& arena) {
  if (text.find('\\') == std::string_view::npos) return text;
  const auto room = arena.allocate_text(text.size());
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() && escapes.find(text[i + 1]) != std::string_view::npos;
    if (escape) ++i;
    room[used++] = escape && text[i] == 'n' ? '\n' : escape && text[i] == 'r' ? '\r' : text[i];
  }
  return {room.data(), used};
}

struct Settings {
  bool ecs = true;
  std::optional<FieldReference> raw;
  std::string delimiter;
  std::array<TextReference, 6> head;                           ///< vendor, product, version, signature, name, severity
  std::vector<std::pair<std::string, FieldReference>> fields;  ///< the key that is written, and where its value is
};

/// ArcSight's Common Event Format.
class Cef final : public Codec {
 public:
  Cef(Settings settings, Charset charset) : settings_(std::move(settings)), charset_(std::move(charset)) {
    for (const auto name : settings_.ecs ? kEcsHeads : kLegacyHeads) heads_.push_back(*FieldReference::parse(name));
    for (const CefField& field : cef_fields())
      paths_.emplace(field.key, *FieldReference::parse(settings_.ecs ? field.ecs : field.name));
  }

  void decode(std::string_view payload, event::Arena& arena, FilterRun& run, std::vector<Document>& into) override {
    payload = charset_.text(payload, arena);
    if (settings_.delimiter.empty()) return decode_one(payload, arena, run, into);
    while (!payload.empty()) {
      const std::size_t end = std::min(payload.find(settings_.delimiter), payload.size());
      if (end > 0) decode_one(payload.substr(0, end), arena, run, into);
      payload.remove_prefix(std::min(end + settings_.delimiter.size(), payload.size()));
    }
  }

  void encode(const Document& event, FilterRun& run, std::string& out) override {
    out += "CEF:0|";
    for (const auto& part : settings_.head) {
      run.scratch.clear();
      logstash::append_reference(part, event, run.now_ns, run.scratch);
      append_escaped(run.scratch, '|', out);
      out += '|';
    }
    bool first = true;
    for (const auto& [key, field] : settings_.fields) {
      const Value* const value = event.find(event::Path(field.segments()));
      if (value == nullptr || value->is(Kind::null)) continue;
      if (!std::exchange(first, false)) out += ' ';
      out += key;
      out += '=';
      run.scratch.clear();
      if (value->is(Kind::list))
        append_json(*value, run.scratch);
      else
        append_text(*value, run.scratch);
      append_escaped(run.scratch, '=', out);
    }
    out += settings_.delimiter;
  }

 private:
  /// A line end would end the message: in the head it becomes a space.
  static void append_escaped(std::string_view text, char special, std::string& out) {
    for (const char c : text) {
      if (c == '\n' || c == '\r') {
        out += special == '|' ? " " : c == '\n' ? "\\n" : "\\r";
        continue;
      }
      if (c == '\\' || c == special) out += '\\';
      out += c;
    }
  }

  void decode_one(std::string_view payload, event::Arena& arena, FilterRun& run, std::vector<Document>& into) {
    Document& event = into.emplace_back(arena);
    if (settings_.raw) event.set(event::Path(settings_.raw->segments()), Value::of(payload));
    std::string_view text = payload;
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    const std::size_t begin = text.find("CEF:");
    if (begin == std::string_view::npos || !read_head(event, text.substr(begin + 4), arena, run)) {
      event.set(event::kMessageField, Value::of(payload));
      event.tag("_cefparsefailure");
      return;
    }
    std::string_view before = text.substr(0, begin);
    while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
    static const FieldReference kLegacy = *FieldReference::parse("syslog"),
                                kEcs = *FieldReference::parse("[log][syslog][header]");
    if (!before.empty()) event.set(event::Path((settings_.ecs ? kEcs : kLegacy).segments()), Value::of(before));
  }

  bool read_head(Document& event, std::string_view text, event::Arena& arena, FilterRun& run) {
    std::array<std::string_view, kHeads> parts;
    for (auto& part : parts) {
      std::size_t end = 0;
      while (end < text.size() && text[end] != '|') end += text[end] == '\\' ? 2 : 1;
      if (end >= text.size()) return false;
      part = text.substr(0, end);
      text.remove_prefix(end + 1);
    }
    for (std::size_t i = 0; i < kHeads; ++i) {
      const auto value = unescaped(parts[i], "|\\", arena);
      event.set(event::Path(heads_[i].segments()), Value::of(value));
    }
    read_extensions(event, text, arena, run);
    return true;
  }

  /// A value goes on until the white space before the next key and its "=".
  void read_extensions(Document& event, std::string_view text, event::Arena& arena, FilterRun& run) {
    std::string_view key;
    std::size_t value = 0, count = 0;
    const auto end_value = [&](std::size_t end) {
      if (key.empty()) return;
      while (end > value && is_space(text[end - 1])) --end;
      set(event, key, unescaped(text.substr(value, end - value), "=\\nr", arena), arena, run);
    };
    for (std::size_t i = 0; i < text.size() && count < kExtensionsMax; ++i) {
      if (text[i] == '\\') {
        ++i;
        continue;
      }
      if (text[i] != '=') continue;
      std::size_t begin = i;
      while (begin > value && is_key_byte(text[begin - 1])) --begin;
      // No key stands there, or it is part of the value: url=http://a?b=c
      if (begin == i || (begin > 0 && !is_space(text[begin - 1])) || (!key.empty() && begin == value)) continue;
      end_value(begin);
      key = text.substr(begin, i - begin);
      value = i + 1;
      ++count;
    }
    end_value(text.size());
  }

  void set(Document& event, std::string_view key, std::string_view text, event::Arena& arena, FilterRun& run) {
    const auto path = paths_.find(key);
    if (path == paths_.end()) {
      // "ad.list[0]" is an element; what is no reference is a name.
      event.set(arena.store(key), Value::of(text));
      return;
    }
    const FieldReference& field = path->second;
    if (is_time(key)) {
      if (const auto wall_ns = read_time(text, run)) {
        event.set(event::Path(field.segments()), Value::time(*wall_ns));
        return;
      }
      if (field.segments()[0].name == event::kTimeField) {
        event.set("deviceReceiptTime", Value::of(text));
        return;
      }
    }
    event.set(event::Path(field.segments()), Value::of(text));
  }

  bool is_time(std::string_view key) const {
    return settings_.ecs && (key == "rt" || key == "start" || key == "end" || key == "art" || key == "fileCreateTime" ||
                             key == "fileModificationTime");
  }

  /// Milliseconds since the epoch, RFC 3339, or "Nov 23 2026 09:26:33" in UTC, with milliseconds or without.
  static std::optional<std::int64_t> read_time(std::string_view text, const FilterRun& run) {
    static const logstash::Timezone kUtc = logstash::Timezone::utc();
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    constexpr std::int64_t kMost = 9'000'000'000'000;  // what nanoseconds can hold
    if (error == std::errc() && end == text.data() + text.size()) {
      if (milliseconds < 0 || milliseconds > kMost) return std::nullopt;
      return milliseconds * 1'000'000;
    }
    static const auto kPatterns = [] {
      std::vector<logstash::DatePattern> all;
      for (const auto pattern : {"MMM dd yyyy HH:mm:ss.SSS", "MMM dd yyyy HH:mm:ss"})
        all.push_back(*logstash::DatePattern::compile(pattern, logstash::DatePattern::Language::joda));
      return all;
    }();
    for (const auto& pattern : kPatterns)
      if (const auto parsed = pattern.parse(text, {.zone = kUtc, .now_ns = run.now_ns})) return parsed->wall_ns;
    if (const auto wall_ns = logstash::parse_iso8601(text, kUtc)) return *wall_ns;
    return std::nullopt;
  }

  const Settings settings_;
  Charset charset_;
  std::vector<FieldReference> heads_;
  std::map<std::string_view, FieldReference> paths_;
};

/// The key for a field that is written: that of the dictionary, or the field's name without what a key cannot have.
std::string key_of(const std::string& field, bool ecs, bool short_keys) {
  const auto reference = FieldReference::parse(field);
  const std::string path = reference ? reference->text() : field;
  for (const CefField& known : cef_fields()) {
    const auto at = FieldReference::parse(ecs ? known.ecs : known.name);
    if (known.name == field || (at && at->text() == path))
      return std::string(short_keys ? known.key : known.name == "message" ? "msg" : known.name);
  }
  std::string key;
  for (const char c : field)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) key += c;
  return key;
}

std::unique_ptr<Codec> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  constexpr std::pair<std::string_view, std::string_view> kHead[] = {
      {"vendor", "Elasticsearch"}, {"product", "Logstash"}, {"version", "1.0"},
      {"signature", "Logstash"},   {"name", "Logstash"},    {"severity", "6"}};
  Settings settings;
  Charset charset = Charset::from(options);
  settings.ecs = options.choice("ecs_compatibility", kModes, world.ecs_compatibility) != "disabled";
  settings.raw = options.field_if_set("raw_data_field");
  settings.delimiter = options.text("delimiter");
  for (std::size_t i = 0; i < settings.head.size(); ++i)
    settings.head[i] = options.reference(kHead[i].first, kHead[i].second);
  const bool short_keys = options.boolean("reverse_mapping", false);
  for (const auto& name : options.texts("fields")) {
    std::string key = key_of(name, settings.ecs, short_keys);
    if (key.empty()) options.mistake("fields", fmt::format("\"{}\" has no letter that a key could have", name));
    settings.fields.emplace_back(std::move(key), options.as_field("fields", name));
  }
  for (const auto name : {"default_timezone", "locale"})
    if (const auto value = options.text_if_set(name); value && *value != "UTC" && *value != "en")
      options.warning(name, "has no effect: times without an offset are read in UTC, with English names");
  (void)options.text("device");
  if (options.failed()) return nullptr;
  return std::make_unique<Cef>(std::move(settings), std::move(charset));
}

}  // namespace

extern const CodecPlugin codec_cef;
const CodecPlugin codec_cef = {"cef", "ArcSight's Common Event Format.", make};

}  // namespace enclave::pipeline
