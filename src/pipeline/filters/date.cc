#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "pipeline/filter.h"
#include "pipeline/logstash/date_pattern.h"
#include "pipeline/logstash/iso8601.h"
#include "pipeline/logstash/plugin_options.h"

namespace enclave::pipeline {
namespace {

using event::Kind;
using event::Value;
using logstash::DatePattern;
using logstash::Timezone;

constexpr std::int64_t kSecond = 1'000'000'000, kMilli = 1'000'000;
// As the original: larger numbers are no seconds, which lets UNIX_MS follow UNIX in one list.
constexpr std::int64_t kUnixSecondsMost = 2'147'483'647;
constexpr std::int64_t kMillisMost = 9'223'372'036'854;

std::int64_t floor_seconds(std::int64_t wall_ns) { return wall_ns / kSecond - (wall_ns % kSecond < 0); }

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// Seconds, with a fraction that may have any number of digits.
std::optional<std::int64_t> unix_time(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto seconds = whole_number(text.substr(0, dot));
  if (!seconds || *seconds > kUnixSecondsMost || *seconds < -kUnixSecondsMost) return std::nullopt;
  std::int64_t nanos = 0, unit = kSecond;
  for (const char c : text.substr(std::min(dot + 1, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    nanos += (c - '0') * (unit /= 10);
  }
  return *seconds * kSecond + (text.starts_with('-') ? -nanos : nanos);
}

std::optional<std::int64_t> unix_millis(std::string_view text) {
  const auto millis = whole_number(text);
  if (!millis || *millis > kMillisMost || *millis < -kMillisMost) return std::nullopt;
  return *millis * kMilli;
}

/// D. J. Bernstein's TAI64N: 2^62 and ten seconds more than UTC's count of 1970, as the original takes it.
std::optional<std::int64_t> tai64n(std::string_view text) {
  if (text.starts_with('@')) text.remove_prefix(1);
  if (text.size() != 24) return std::nullopt;
  std::uint64_t seconds = 0, nanos = 0;
  constexpr std::uint64_t kEpoch = std::uint64_t{1} << 62;
  const auto first = std::from_chars(text.data(), text.data() + 16, seconds, 16);
  const auto second = std::from_chars(text.data() + 16, text.data() + 24, nanos, 16);
  if (first.ptr != text.data() + 16 || second.ptr != text.data() + 24) return std::nullopt;
  if (seconds < kEpoch || seconds - kEpoch > static_cast<std::uint64_t>(kMillisMost / 1000) || nanos >= kSecond)
    return std::nullopt;
  return (static_cast<std::int64_t>(seconds - kEpoch) - 10) * kSecond + static_cast<std::int64_t>(nanos);
}

enum class Form : std::uint8_t { iso8601, unix_seconds, unix_millis, tai64n, pattern };
struct Format {
  Form form = Form::pattern;
  std::optional<DatePattern> pattern;
};

/// Reads a time from a text.
class Date final : public Filter {
 public:
  struct Settings {
    logstash::FieldReference source, target;
    std::vector<Format> formats;
    logstash::TextReference timezone;
    const Timezone* zone = nullptr;  ///< null: `timezone` says which one for each event
    std::vector<std::string> tag_on_failure;
    bool nanos = false;
  };
  Date(Settings settings, const FilterWorld& world) : settings_(std::move(settings)), zones_(world.zones) {}

  bool apply(event::Document& event, FilterRun& run) override {
    const Value* const value = event.find(settings_.source.segments());
    if (value == nullptr || value->is(Kind::null)) return false;
    const Timezone* const zone = settings_.zone != nullptr ? settings_.zone : zone_of(event, run);
    if (value->is(Kind::time)) {
      if (event.set(settings_.target.segments(), *value)) return true;
      return fail(event);
    }
    run.scratch.clear();
    // A fraction of a binary number is read from all digits that it has.
    if (value->is(Kind::real))
      fmt::format_to(std::back_inserter(run.scratch), "{:.6f}", value->real());
    else
      append_text(*value, run.scratch);
    if (zone == nullptr) return fail(event);
    for (const Format& format : settings_.formats) {
      auto wall_ns = read(format, run.scratch, *zone, run.now_ns);
      if (!wall_ns) continue;
      if (!settings_.nanos) *wall_ns -= (*wall_ns % kMilli + kMilli) % kMilli;
      return event.set(settings_.target.segments(), Value::time(*wall_ns)) || fail(event);
    }
    return fail(event);
  }

 private:
  bool fail(event::Document& event) const {
    for (const auto& tag : settings_.tag_on_failure) event.tag(tag);
    return false;
  }

  const Timezone* zone_of(const event::Document& event, FilterRun& run) const {
    run.scratch.clear();
    settings_.timezone.append(
        event.wall_ns(), run.now_ns,
        [&event](const logstash::TextReference::Part& part, std::string& out) {
          const Value* const value = event.find(part.field->segments());
          if (value == nullptr) return false;
          append_text(*value, out);
          return true;
        },
        run.scratch);
    return zones_(run.scratch);
  }

  std::optional<std::int64_t> read(const Format& format, std::string_view text, const Timezone& zone,
                                   std::int64_t now_ns) const {
    switch (format.form) {
      case Form::unix_seconds:
        return unix_time(text);
      case Form::unix_millis:
        return unix_millis(text);
      case Form::tai64n:
        return tai64n(text);
      case Form::iso8601:
        return logstash::parse_iso8601(text, zone);
      case Form::pattern:
        break;
    }
    return read_pattern(*format.pattern, text, zone, now_ns);
  }

  /// A text without a year is of this one; but in January a December is the last, and in December a January the next.
  std::optional<std::int64_t> read_pattern(const DatePattern& pattern, std::string_view text, const Timezone& zone,
                                           std::int64_t now_ns) const {
    const auto local_date = [&zone](std::int64_t wall_ns) {
      const std::int64_t seconds = floor_seconds(wall_ns);
      const std::int64_t local = seconds + zone.at(seconds).offset_seconds;
      return logstash::civil_from_days(local / 86'400 - (local % 86'400 < 0));
    };
    const auto now = local_date(now_ns);
    DatePattern::Context context{zone, now_ns, now.year, &zones_};
    auto parsed = pattern.parse(text, context);
    if (!parsed) return std::nullopt;
    if (parsed->has_year) return parsed->wall_ns;
    const auto month = local_date(parsed->wall_ns).month;
    if (month == 12 && now.month == 1) {
      --context.year;
    } else if (month == 1 && now.month == 12) {
      ++context.year;
    } else {
      return parsed->wall_ns;
    }
    parsed = pattern.parse(text, context);
    return parsed ? std::optional(parsed->wall_ns) : std::nullopt;
  }

  Settings settings_;
  const logstash::ZoneLookup& zones_;
};

std::vector<Format> read_formats(logstash::PluginOptions& options, const std::vector<std::string>& match) {
  std::vector<Format> formats;
  for (std::size_t i = 1; i < match.size(); ++i) {
    Format format;
    if (match[i] == "ISO8601") {
      format.form = Form::iso8601;
    } else if (match[i] == "UNIX") {
      format.form = Form::unix_seconds;
    } else if (match[i] == "UNIX_MS") {
      format.form = Form::unix_millis;
    } else if (match[i] == "TAI64N") {
      format.form = Form::tai64n;
    } else if (auto pattern = DatePattern::compile(match[i], DatePattern::Language::joda)) {
      format.pattern = std::move(*pattern);
    } else {
      options.mistake("match", pattern.error().text());
    }
    formats.push_back(std::move(format));
  }
  return formats;
}

/// The zone that the configuration names, or of this machine; null when each event says it.
const Timezone* read_zone(logstash::PluginOptions& options, const logstash::TextReference& name,
                          const FilterWorld& world) {
  if (!options.has("timezone")) {
    static const Timezone kUtc = Timezone::utc();
    const Timezone* const local = world.zones("localtime");
    return local == nullptr ? &kUtc : local;
  }
  if (!name.is_literal()) return nullptr;
  const std::string text = name.parts().empty() ? "" : name.parts()[0].text;
  const Timezone* const zone = world.zones(text);
  if (zone == nullptr)
    options.mistake("timezone", fmt::format("there is no time zone \"{}\"; write a name such as Europe/Berlin, or an "
                                            "offset such as +02:00",
                                            text));
  return zone;
}

std::unique_ptr<Filter> make(logstash::PluginOptions& options, const FilterWorld& world) {
  constexpr std::string_view kPrecisions[] = {"ms", "ns"};
  const auto match = options.texts("match");
  if (match.size() < 2)
    options.mistake("match", "the name of a field and at least one pattern are wanted: [ \"time\", \"ISO8601\" ]");
  Date::Settings settings{.source = options.as_field("match", match.empty() ? "message" : match[0]),
                          .target = options.field("target", event::kTimeField),
                          .formats = read_formats(options, match),
                          .timezone = options.reference("timezone", ""),
                          .tag_on_failure = options.texts("tag_on_failure", {"_dateparsefailure"}),
                          .nanos = options.choice("precision", kPrecisions, "ms") == "ns"};
  settings.zone = read_zone(options, settings.timezone, world);
  const std::string locale = options.text("locale", "en");
  if (!locale.starts_with("en"))
    options.warning("locale", fmt::format("names of months and days are read in English, not in \"{}\"", locale));
  if (options.failed()) return nullptr;
  return std::make_unique<Date>(std::move(settings), world);
}

}  // namespace

extern const FilterPlugin filter_date;
const FilterPlugin filter_date = {"date", "Reads a time from a text, by default into @timestamp.", make};

}  // namespace enclave::pipeline
