#include "base/time.h"

#include <array>
#include <limits>

#include "base/encoding.h"

namespace enclave {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 8> kUnits{{{"y", 365 * 86400 * kSecond},
                                      {"d", 86400 * kSecond},
                                      {"h", 3600 * kSecond},
                                      {"m", 60 * kSecond},
                                      {"s", kSecond},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// A fixed number of digits at `at`, moved past them; -1 when they are not digits.
int digits(std::string_view text, std::size_t& at, std::size_t count) {
  int value = 0;
  for (std::size_t i = 0; i < count; ++i, ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool literal(std::string_view text, std::size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

}  // namespace

std::string format_time(std::int64_t wall_ns) {
  const std::int64_t seconds = floor_div(wall_ns, kSecond);
  const std::int64_t days = floor_div(seconds, 86400);
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  const auto of_day = seconds - days * 86400;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), of_day / 3600,
                     of_day / 60 % 60, of_day % 60, wall_ns - seconds * kSecond);
}

Result<std::int64_t> parse_time(std::string_view text) {
  const Error wrong{Fault::invalid, "\"{}\" is not a time; write one such as 2026-11-23T09:26:33Z or 2026-11-23",
                    text.substr(0, 64)};
  std::size_t at = 0;
  const int year = digits(text, at, 4);
  if (year < 1678 || year > 2261 || !literal(text, at, '-')) return wrong;  // what 64 bits of nanoseconds hold
  const int month = digits(text, at, 2);
  if (month < 1 || !literal(text, at, '-')) return wrong;
  const int day = digits(text, at, 2);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day < 0 ? 0 : day)}};
  if (!date.ok()) return wrong;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  if (at == text.size()) return days * 86400 * kSecond;

  if (!literal(text, at, 'T') && !literal(text, at, 't') && !literal(text, at, ' ')) return wrong;
  const int hour = digits(text, at, 2);
  if (!literal(text, at, ':')) return wrong;
  const int minute = digits(text, at, 2);
  if (!literal(text, at, ':')) return wrong;
  const int second = digits(text, at, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return wrong;
  std::int64_t fraction = 0;
  if (literal(text, at, '.')) {
    std::int64_t scale = kSecond / 10;
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      if (scale == 0) return wrong;
      fraction += (text[at++] - '0') * scale;
      scale /= 10;
    }
    if (at == from) return wrong;
  }
  std::int64_t offset = 0;
  if (!literal(text, at, 'Z') && !literal(text, at, 'z')) {
    const bool west = literal(text, at, '-');
    if (!west && !literal(text, at, '+')) return wrong;
    const int hours = digits(text, at, 2);
    (void)literal(text, at, ':');
    const int minutes = digits(text, at, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return wrong;
    offset = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  }
  if (at != text.size()) return wrong;
  return (days * 86400 + hour * 3600 + minute * 60 + second - offset) * kSecond + fraction;
}

Result<Nanoseconds> parse_duration(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  const auto number = parse_number(text.substr(0, count));
  for (const auto& unit : kUnits) {
    if (!number || text.substr(count) != unit.name) continue;
    if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / unit.ns))
      return Error{Fault::invalid, "\"{}\" is longer than 292 years", text};
    return Nanoseconds{static_cast<std::int64_t>(*number) * unit.ns};
  }
  return Error{Fault::invalid, "\"{}\" is not a duration; write a number and s, m, h, d or y, such as 365d",
               text.substr(0, 64)};
}

std::string format_duration(Nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  for (const auto& unit : kUnits)
    if (unit.name != "y" && ns % unit.ns == 0) return fmt::format("{}{}", ns / unit.ns, unit.name);
  return fmt::format("{}ns", ns);
}

Result<ByteCount> parse_bytes(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  const auto number = parse_number(text.substr(0, count));
  std::string_view unit = text.substr(count);
  if (!unit.empty() && unit[0] == ' ') unit.remove_prefix(1);
  struct Size {
    std::string_view name;
    int shift;
  };
  constexpr Size kSizes[] = {{"", 0},     {"B", 0},    {"k", 10},  {"K", 10},   {"KB", 10},
                             {"KiB", 10}, {"M", 20},   {"MB", 20}, {"MiB", 20}, {"G", 30},
                             {"GB", 30},  {"GiB", 30}, {"T", 40},  {"TB", 40},  {"TiB", 40}};
  for (const auto& size : kSizes) {
    if (!number || unit != size.name) continue;
    if (*number > (std::numeric_limits<std::uint64_t>::max() >> size.shift))
      return Error{Fault::invalid, "\"{}\" is more than 2^64 bytes", text};
    return ByteCount{*number << size.shift};
  }
  return Error{Fault::invalid, "\"{}\" is not a size; write a number and B, KiB, MiB, GiB or TiB, such as 16MiB",
               text.substr(0, 64)};
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::string_view kNames[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::size_t name = 0;
  for (value /= 1024; value >= 1024 && name + 1 < std::size(kNames); ++name) value /= 1024;
  return fmt::format("{:.1f} {}", value, kNames[name]);
}

}  // namespace enclave
