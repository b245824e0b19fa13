#include <array>
#include <charconv>
#include <cmath>

#include "pipeline/filebeat/reader.h"

namespace enclave::pipeline::filebeat {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kDurations[] = {{"ns", 1},  {"us", 1e3}, {"µs", 1e3},  {"ms", 1e6},
                               {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
constexpr Unit kSizes[] = {{"", 1},         {"b", 1},        {"k", 1e3},     {"kb", 1e3},     {"m", 1e6},
                           {"mb", 1e6},     {"g", 1e9},      {"gb", 1e9},    {"t", 1e12},     {"tb", 1e12},
                           {"ki", 0x1p10},  {"kib", 0x1p10}, {"mi", 0x1p20}, {"mib", 0x1p20}, {"gi", 0x1p30},
                           {"gib", 0x1p30}, {"ti", 0x1p40},  {"tib", 0x1p40}};
constexpr double kMost = 9e18;

/// Takes a number without a sign off the front.
bool take_number(std::string_view& text, double& into) {
  if (text.empty() || ((text[0] < '0' || text[0] > '9') && text[0] != '.')) return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into, std::chars_format::fixed);
  if (fault != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

Result<Nanoseconds> parse_go_duration(std::string_view text) {
  const Error wrong{Fault::invalid, "a duration such as 10s, 5m or 1h30m"};
  const bool negative = text.starts_with('-');
  std::string_view rest = text.substr(negative ? 1 : 0);
  double total = 0;
  bool first = true;
  while (!rest.empty() || first) {
    double number = 0;
    if (!take_number(rest, number)) return wrong;
    const std::string_view unit = rest.substr(0, rest.find_first_of(".0123456789"));
    const Unit* found = nullptr;
    for (const auto& one : kDurations)
      if (one.name == unit) found = &one;
    const bool bare = first && rest.empty();
    if (found == nullptr && !bare) {
      if (unit == "d" || unit == "w" || unit == "y")
        return Error{Fault::invalid, "a duration such as 24h (Filebeat has no unit \"{}\")", unit};
      return wrong;
    }
    total += number * (bare ? 1e9 : found->factor);
    rest.remove_prefix(unit.size());
    first = false;
  }
  if (total > kMost) return Error{Fault::invalid, "a duration of less than 292 years"};
  return Nanoseconds(static_cast<std::int64_t>(negative ? -total : total));
}

std::string format_go_duration(Nanoseconds duration) {
  if (duration == Nanoseconds(0)) return "0s";
  if (duration < Nanoseconds(0)) return "-" + format_go_duration(-duration);
  const std::int64_t count = duration.count();
  if (count % 3'600'000'000'000 == 0) return fmt::format("{}h", count / 3'600'000'000'000);
  if (count % 60'000'000'000 == 0) return fmt::format("{}m", count / 60'000'000'000);
  if (count % 1'000'000'000 == 0) return fmt::format("{}s", count / 1'000'000'000);
  if (count % 1'000'000 == 0) return fmt::format("{}ms", count / 1'000'000);
  return fmt::format("{}ns", count);
}

Result<ByteCount> parse_size(std::string_view text) {
  double number = 0;
  const Error wrong{Fault::invalid, "a number of bytes, or a size such as 10MiB"};
  if (!take_number(text, number)) return wrong;
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::string unit;
  for (const char c : text) unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const auto& one : kSizes) {
    if (one.name != unit) continue;
    const double bytes = number * one.factor;
    if (bytes > kMost) return wrong;
    return ByteCount{static_cast<std::uint64_t>(bytes)};
  }
  return wrong;
}

}  // namespace enclave::pipeline::filebeat
