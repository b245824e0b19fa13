#pragma once

#include "base/time.h"

namespace enclave::cli {

/// A moment: RFC 3339, a date (midnight UTC), "now", or how long ago: "15m", "2h", "7d". Nanoseconds since the epoch.
inline Result<std::int64_t> parse_when(std::string_view text, std::int64_t now_ns) {
  if (text == "now") return now_ns;
  if (const auto ago = parse_duration(text)) return now_ns - ago->count();
  if (auto time = parse_time(text)) return time;
  return Error{Fault::invalid,
               "\"{}\" is not a time; write 2026-11-23, 2026-11-23T09:26:33Z, or an age such as 15m, 2h, 7d",
               text.substr(0, 64)};
}

}  // namespace enclave::cli
