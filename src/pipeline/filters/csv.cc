#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "pipeline/filter.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;

constexpr std::size_t kColumnsMax = 10'000;

/// One line, as Ruby's CSV reads it: a field that is empty and not quoted has no value.
class CsvLine {
 public:
  CsvLine(std::string_view separator, std::string_view quote) : separator_(separator), quote_(quote) {}

  /// False for what is no CSV: a quote within a field, text behind a closing quote, a quote that is never closed.
  bool read(std::string_view text, event::Arena& arena, std::vector<Value>& fields) const {
    fields.clear();
    while (fields.size() < kColumnsMax) {
      const bool quoted = !quote_.empty() && text.starts_with(quote_);
      if (!(quoted ? quoted_field(text, arena, fields) : plain_field(text, fields))) return false;
      if (!text.starts_with(separator_)) return text.empty() || text[0] == '\n' || text[0] == '\r';
      text.remove_prefix(separator_.size());
    }
    return false;
  }

 private:
  bool plain_field(std::string_view& text, std::vector<Value>& fields) const {
    const std::size_t end = std::min({text.find(separator_), text.find_first_of("\r\n"), text.size()});
    const std::string_view field = text.substr(0, end);
    if (!quote_.empty() && field.find(quote_) != std::string_view::npos) return false;
    fields.push_back(field.empty() ? Value() : Value::of(field));
    text.remove_prefix(end);
    return true;
  }

  /// A doubled quote is one quote of the field.
  bool quoted_field(std::string_view& text, event::Arena& arena, std::vector<Value>& fields) const {
    std::string_view rest = text.substr(quote_.size());
    const auto room = arena.allocate_text(rest.size());
    std::size_t size = 0;
    while (true) {
      const std::size_t at = rest.find(quote_);
      if (at == std::string_view::npos) return false;
      const bool doubled = rest.substr(at + quote_.size()).starts_with(quote_);
      const std::size_t piece = at + (doubled ? quote_.size() : 0);
      if (piece > 0) std::memcpy(room.data() + size, rest.data(), piece);
      size += piece;
      rest.remove_prefix(at + quote_.size() * (doubled ? 2 : 1));
      if (!doubled) break;
    }
    arena.shrink_last(room.size() - size);
    fields.push_back(Value::of(std::string_view(room.data(), size)));
    text = rest;
    return text.empty() || text.starts_with(separator_) || text[0] == '\r' || text[0] == '\n';
  }

  std::string_view separator_, quote_;
};

enum class Type : std::uint8_t { integer, real, date, boolean };
constexpr std::string_view kTypes[] = {"integer", "float", "date", "boolean", "date_time"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// What cannot be converted stays a text.
Value convert(const Value& value, Type type) {
  if (!value.is(Kind::text)) return value;
  std::string_view text = trimmed(value.text());
  if (type == Type::date) {
    static const logstash::Timezone kUtc = logstash::Timezone::utc();
    const auto wall_ns = logstash::parse_iso8601(text, kUtc);
    return wall_ns ? Value::time(*wall_ns) : value;
  }
  if (type == Type::boolean) {
    const auto is = [text](std::string_view word) {
      return std::ranges::equal(text, word, [](char a, char b) { return (a | 0x20) == b; });
    };
    return is("true") ? Value::of(true) : is("false") ? Value::of(false) : value;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  if (text.empty()) return value;
  if (type == Type::integer) {
    std::int64_t number = 0;
    return std::from_chars(text.data(), end, number) == std::from_chars_result{end, std::errc()} ? Value::of(number)
                                                                                                 : value;
  }
  double number = 0;
  const bool digits = text.find_first_of("0123456789") != std::string_view::npos;
  return digits && std::from_chars(text.data(), end, number) == std::from_chars_result{end, std::errc()}
             ? Value::of(number)
             : value;
}

/// Takes a line of comma-separated values apart.
class Csv final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source;
    std::optional<logstash::FieldReference> target;
    std::vector<std::string> columns;
    std::string separator, quote;
    std::vector<std::pair<std::string, Type>> conversions = {};
    bool autodetect = false, autogenerate = true, skip_empty_columns = false, skip_empty_rows = false,
         skip_header = false;
    std::vector<std::string> tag_on_failure = {};
  };
  explicit Csv(Settings settings) : settings_(std::move(settings)), columns_(settings_.columns) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const Value* const source = event.find(settings_.source.segments());
    if (source == nullptr || source->is(Kind::null)) return false;
    std::string_view text;
    if (source->is(Kind::text)) {
      text = source->text();
    } else {
      run.scratch.clear();
      append_text(*source, run.scratch);
      text = event.arena().store(run.scratch);
    }
    if (text.empty() && settings_.skip_empty_rows) {
      event.tag("_csvskippedemptyfield");
      return false;
    }
    const CsvLine line(settings_.separator, settings_.quote);
    if (text.empty() || !line.read(text, event.arena(), fields_)) {
      for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
      return false;
    }
    if (is_header()) {
      event.cancelled = true;
      return false;
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) store(i, event);
    return true;
  }

 private:
  static std::string_view text_of(const Value& value) {
    return value.is(Kind::text) ? value.text() : std::string_view();
  }

  /// The line that names the columns is not an event.
  bool is_header() {
    if (settings_.autodetect && columns_.empty()) {
      for (const Value& field : fields_) columns_.emplace_back(text_of(field));
      return true;
    }
    return settings_.skip_header && !columns_.empty() &&
           std::ranges::equal(columns_, fields_,
                              [](const std::string& name, const Value& field) { return name == text_of(field); });
  }

  void store(std::size_t column, event::Document& event) const {
    const Value& field = fields_[column];
    if (settings_.skip_empty_columns && text_of(field).empty()) return;
    const bool named = column < columns_.size() && !columns_[column].empty();
    if (!named && !settings_.autogenerate) return;
    const std::string name = named ? columns_[column] : fmt::format("column{}", column + 1);
    Value value = field;
    for (const auto& [converted, type] : settings_.conversions)
      if (converted == name) value = convert(field, type);
    const auto reference = logstash::FieldReference::parse(name, logstash::FieldReference::Mode::legacy);
    if (!reference) return;
    if (!settings_.target) {
      event.set(reference->segments(), value);
      return;
    }
    std::vector<event::PathSegment> path = settings_.target->segments();
    path.insert(path.end(), reference->segments().begin(), reference->segments().end());
    event.set(path, value);
  }

  Settings settings_;
  std::vector<std::string> columns_;
  std::vector<Value> fields_;
};

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& /*world*/) {
  constexpr std::string_view kModes[] = {"disabled", "v1", "v8"};
  options.choice("ecs_compatibility", kModes, "v8");
  Csv::Settings settings{.source = options.field("source", "message"),
                         .target = options.field_if_set("target"),
                         .columns = options.texts("columns"),
                         .separator = options.text("separator", ","),
                         .quote = options.text("quote_char", "\"")};
  if (settings.separator.empty()) options.mistake("separator", "it is empty, so it separates nothing");
  for (const auto& [column, type] : options.pairs("convert")) {
    const auto* const found = std::ranges::find(kTypes, type);
    if (found == std::end(kTypes)) {
      options.mistake("convert", fmt::format("\"{}\" is no type; there are {}", type, fmt::join(kTypes, ", ")));
      continue;
    }
    const auto index = static_cast<std::size_t>(found - std::begin(kTypes));
    settings.conversions.emplace_back(column, index == 4 ? Type::date : static_cast<Type>(index));
  }
  settings.autodetect = options.boolean("autodetect_column_names", false);
  settings.autogenerate = options.boolean("autogenerate_column_names", true);
  settings.skip_empty_columns = options.boolean("skip_empty_columns", false);
  settings.skip_empty_rows = options.boolean("skip_empty_rows", false);
  settings.skip_header = options.boolean("skip_header", false);
  settings.tag_on_failure = options.texts("tag_on_failure", {"_csvparsefailure"});
  if (settings.skip_header && settings.columns.empty() && !settings.autodetect)
    options.warning("skip_header", "it does nothing without columns or autodetect_column_names");
  if (options.failed()) return nullptr;
  return std::make_unique<Csv>(std::move(settings));
}

}  // namespace

extern const FilterPlugin filter_csv;
const FilterPlugin filter_csv = {"csv", "Takes a line of comma-separated values apart.", make};

}  // namespace enclave::pipeline
