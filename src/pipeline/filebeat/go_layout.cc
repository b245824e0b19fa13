#include "pipeline/filebeat/go_layout.h"

#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace enclave::pipeline::filebeat {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  return true;
}

/// Between `least` and `most` digits.
bool take_number(std::string_view& text, std::size_t least, std::size_t most, std::int64_t& into) {
  std::size_t digits = 0;
  into = 0;
  while (digits < most && digits < text.size() && is_digit(text[digits])) into = into * 10 + (text[digits++] - '0');
  text.remove_prefix(digits);
  return digits >= least;
}

bool take_name(std::string_view& text, std::span<const std::string_view> names, std::size_t letters,
               std::int64_t& into) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = names[i].substr(0, letters);
    if (!same_letters(text.substr(0, name.size()), name)) continue;
    text.remove_prefix(name.size());
    into = static_cast<std::int64_t>(i);
    return true;
  }
  return false;
}

bool take_fraction(std::string_view& text, std::size_t exactly, std::int64_t& ns) {
  if (text.empty() || (text[0] != '.' && text[0] != ',')) return false;
  std::size_t at = 1;
  std::int64_t unit = kSecond / 10;
  for (; at < text.size() && is_digit(text[at]) && (exactly == 0 || at <= exactly); ++at, unit /= 10)
    ns += unit * (text[at] - '0');
  if (at == 1 || (exactly != 0 && at != exactly + 1)) return false;
  text.remove_prefix(at);
  return true;
}

bool take_zone(std::string_view& text, std::string_view layout, std::optional<std::int64_t>& offset) {
  if (layout[0] == 'Z' && text.starts_with('Z')) {
    text.remove_prefix(1);
    offset = 0;
    return true;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  std::int64_t hours = 0, minutes = 0;
  if (!take_number(text, 2, 2, hours)) return false;
  const bool colon = layout.find(':') != std::string_view::npos;
  if (colon && !text.starts_with(':')) return false;
  if (colon) text.remove_prefix(1);
  if (layout.size() > 3 && !take_number(text, 2, 2, minutes)) return false;
  if (hours > 24 || minutes > 59) return false;
  offset = sign * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

struct GoLayout::State {
  std::int64_t year = 0, month = 1, day = 1, day_of_year = 0, hour = 0, minute = 0, second = 0, ns = 0;
  bool has_year = false, pm = false, has_half = false;
  std::optional<std::int64_t> offset;  ///< seconds
  std::optional<std::int64_t> whole_ns;
};

Result<GoLayout> GoLayout::compile(std::string_view layout) {
  if (layout.empty() || layout.size() > kBytesMax)
    return Error{Fault::limit, "a layout has between 1 and {} bytes", kBytesMax};
  GoLayout out;
  if (layout == "UNIX" || layout == "UNIX_MS") {
    out.parts_.push_back({layout == "UNIX" ? Field::unix_s : Field::unix_ms, ""});
    return out;
  }
  // Longer ones first where one begins with another.
  static constexpr std::pair<std::string_view, Field> kFields[] = {{"January", Field::month_name},
                                                                   {"Jan", Field::month_short},
                                                                   {"Monday", Field::weekday_name},
                                                                   {"Mon", Field::weekday_short},
                                                                   {"MST", Field::zone_name},
                                                                   {"2006", Field::year},
                                                                   {"Z07:00", Field::zone},
                                                                   {"Z0700", Field::zone},
                                                                   {"Z07", Field::zone},
                                                                   {"-07:00", Field::zone},
                                                                   {"-0700", Field::zone},
                                                                   {"-07", Field::zone},
                                                                   {"002", Field::day_of_year},
                                                                   {"01", Field::month_padded},
                                                                   {"02", Field::day_padded},
                                                                   {"03", Field::hour12_padded},
                                                                   {"04", Field::minute_padded},
                                                                   {"05", Field::second_padded},
                                                                   {"06", Field::short_year},
                                                                   {"15", Field::hour},
                                                                   {"_2", Field::day_blank},
                                                                   {"PM", Field::half},
                                                                   {"pm", Field::half},
                                                                   {"1", Field::month},
                                                                   {"2", Field::day},
                                                                   {"3", Field::hour12},
                                                                   {"4", Field::minute},
                                                                   {"5", Field::second}};
  while (!layout.empty()) {
    if ((layout[0] == '.' || layout[0] == ',') && layout.size() > 1 && (layout[1] == '0' || layout[1] == '9')) {
      std::size_t end = 1;
      while (end < layout.size() && layout[end] == layout[1]) ++end;
      if (end == layout.size() || !is_digit(layout[end])) {
        out.parts_.push_back(
            {layout[1] == '0' ? Field::fraction : Field::fraction_optional, std::string(layout.substr(0, end))});
        layout.remove_prefix(end);
        continue;
      }
    }
    bool found = false;
    for (const auto& [text, field] : kFields) {
      if (!layout.starts_with(text)) continue;
      out.parts_.push_back({field, std::string(text)});
      layout.remove_prefix(text.size());
      found = true;
      break;
    }
    if (found) continue;
    if (out.parts_.empty() || out.parts_.back().field != Field::literal) out.parts_.emplace_back();
    out.parts_.back().text += layout[0];
    layout.remove_prefix(1);
  }
  return out;
}

bool GoLayout::read_rest(const Part& part, std::string_view& text, State& state) const {
  std::int64_t number = 0;
  switch (part.field) {
    case Field::fraction:
      return take_fraction(text, part.text.size() - 1, state.ns);
    case Field::fraction_optional:
      return text.empty() || (text[0] != '.' && text[0] != ',') || take_fraction(text, 0, state.ns);
    case Field::half:
      state.has_half = true;
      state.pm = same_letters(text.substr(0, 2), "pm");
      if (!state.pm && !same_letters(text.substr(0, 2), "am")) return false;
      text.remove_prefix(2);
      return true;
    case Field::zone_name: {
      std::size_t letters = 0;
      while (letters < text.size() && letters < 5 && text[letters] >= 'A' && text[letters] <= 'Z') ++letters;
      if (letters < 3) return false;
      if (text.substr(0, letters) == "UTC" || text.substr(0, letters) == "GMT") state.offset = 0;
      text.remove_prefix(letters);
      return true;
    }
    case Field::zone:
      return take_zone(text, part.text, state.offset);
    case Field::unix_s:
    case Field::unix_ms: {
      const bool seconds = part.field == Field::unix_s;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      const std::int64_t most = seconds ? 9'000'000'000 : 9'000'000'000'000;
      if (error != std::errc() || number > most || number < -most) return false;
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      std::int64_t ns = 0;
      if (!text.empty() && !take_fraction(text, 0, ns)) return false;
      state.whole_ns = seconds ? number * kSecond + ns : number * 1'000'000 + ns / 1000;
      return true;
    }
    default:
      return false;
  }
}

bool GoLayout::read(const Part& part, std::string_view& text, State& state) const {
  std::int64_t number = 0;
  switch (part.field) {
    case Field::literal:
      if (!text.starts_with(part.text)) return false;
      text.remove_prefix(part.text.size());
      return true;
    case Field::year:
      state.has_year = true;
      return take_number(text, 4, 4, state.year);
    case Field::short_year:
      if (!take_number(text, 2, 2, state.year)) return false;
      state.has_year = true;
      state.year += state.year >= 69 ? 1900 : 2000;
      return true;
    case Field::month:
    case Field::month_padded:
      return take_number(text, part.field == Field::month ? 1 : 2, 2, state.month);
    case Field::month_name:
    case Field::month_short:
      if (!take_name(text, kMonths, part.field == Field::month_name ? 9 : 3, number)) return false;
      state.month = number + 1;
      return true;
    case Field::weekday_name:
    case Field::weekday_short:
      return take_name(text, kDays, part.field == Field::weekday_name ? 9 : 3, number);
    case Field::day:
    case Field::day_blank:
    case Field::day_padded:
      if (part.field == Field::day_blank && text.starts_with(' ')) text.remove_prefix(1);
      return take_number(text, part.field == Field::day_padded ? 2 : 1, 2, state.day);
    case Field::day_of_year:
      return take_number(text, 3, 3, state.day_of_year) && state.day_of_year > 0;
    case Field::hour:
      return take_number(text, 2, 2, state.hour);
    case Field::hour12:
    case Field::hour12_padded:
      return take_number(text, part.field == Field::hour12 ? 1 : 2, 2, state.hour) && state.hour <= 12;
    case Field::minute:
    case Field::minute_padded:
      return take_number(text, part.field == Field::minute ? 1 : 2, 2, state.minute);
    case Field::second:
    case Field::second_padded:
      return take_number(text, part.field == Field::second ? 1 : 2, 2, state.second);
    default:
      return read_rest(part, text, state);
  }
}

Result<std::int64_t> GoLayout::parse(std::string_view text, const logstash::Timezone& zone, std::int64_t now_ns) const {
  State state;
  const std::string_view all = text;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!read(parts_[i], text, state)) return Error{Fault::invalid, "\"{}\" does not fit the layout", all};
    // Go takes a fraction behind the seconds also where the layout has none.
    const bool seconds = parts_[i].field == Field::second || parts_[i].field == Field::second_padded;
    const bool follows = i + 1 < parts_.size() &&
                         (parts_[i + 1].field == Field::fraction || parts_[i + 1].field == Field::fraction_optional);
    if (seconds && !follows && text.size() > 1 && (text[0] == '.' || text[0] == ',') && is_digit(text[1]))
      (void)take_fraction(text, 0, state.ns);
  }
  if (!text.empty()) return Error{Fault::invalid, "\"{}\" has more than the layout", all};
  if (state.whole_ns) return *state.whole_ns;
  if (state.has_half) state.hour = state.hour % 12 + (state.pm ? 12 : 0);
  if (!state.has_year) {
    const std::int64_t now = now_ns / kSecond;
    state.year = logstash::civil_from_days((now + zone.at(now).offset_seconds) / 86'400).year;
  }
  if (state.month < 1 || state.month > 12 || state.hour > 23 || state.minute > 59 || state.second > 59 ||
      state.day < 1 || state.day > logstash::days_in_month(state.year, static_cast<unsigned>(state.month)) ||
      state.year < 1678 || state.year > 2261)
    return Error{Fault::invalid, "\"{}\" is no time", all};
  std::int64_t days =
      logstash::days_from_civil(state.year, static_cast<unsigned>(state.month), static_cast<unsigned>(state.day));
  if (state.day_of_year > 0) days = logstash::days_from_civil(state.year, 1, 1) + state.day_of_year - 1;
  const std::int64_t local = days * 86'400 + state.hour * 3600 + state.minute * 60 + state.second;
  const std::int64_t seconds =
      state.offset ? local - *state.offset : TRY(zone.to_utc(local, logstash::Timezone::Gap::forward));
  return seconds * kSecond + state.ns;
}

}  // namespace enclave::pipeline::filebeat
