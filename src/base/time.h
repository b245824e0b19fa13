#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace enclave {

using Nanoseconds = std::chrono::nanoseconds;

/// RFC 3339 in UTC with nine digits: "2026-11-23T09:26:33.123456789Z". `wall_ns` counts from the Unix epoch.
std::string format_time(std::int64_t wall_ns);
/// RFC 3339 with 0 to 9 digits of fraction and "Z" or an offset; also "2026-11-23" (midnight UTC).
Result<std::int64_t> parse_time(std::string_view text);

/// A number and ns, us, ms, s, m, h, d or y (365 days): "30s", "365d".
Result<Nanoseconds> parse_duration(std::string_view text);
/// The largest unit that divides it: "36h", "365d".
std::string format_duration(Nanoseconds duration);

/// A count of bytes; in text a number and B, KiB, MiB, GiB, TiB (or k, M, G, T, powers of 1024 too).
struct ByteCount {
  std::uint64_t value = 0;
  constexpr operator std::uint64_t() const { return value; }  // NOLINT(google-explicit-constructor)
};
Result<ByteCount> parse_bytes(std::string_view text);
/// "512 B", "1.5 MiB".
std::string format_bytes(std::uint64_t bytes);

constexpr ByteCount operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr ByteCount operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr ByteCount operator""_GiB(unsigned long long n) { return {n << 30}; }

}  // namespace enclave
