#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "base/time.h"
#include "event/batch.h"
#include "pipeline/regex.h"

namespace enclave::pipeline {

/// Ends the fields of an event that is the front of a line: its rest is the next event of the source.
inline constexpr std::string_view kGoesOn = R"("goes_on":true)";

/// Which lines make one event together, as Filebeat and Logstash have it.
struct MultilineRule {
  enum class Kind : std::uint8_t {
    pattern,        ///< lines that match (or do not) belong to the line before or after them
    while_pattern,  ///< lines in a row that match (or do not) are one event
    count,          ///< so many lines are one event
  };
  Kind kind = Kind::pattern;
  std::string pattern;        ///< PCRE2
  bool negate = false;        ///< lines that do not match are meant
  bool after = true;          ///< they belong to the line before them (Logstash: what => previous); else to the next
  std::string flush_pattern;  ///< a line that matches ends its event; empty: none
  std::uint64_t count_lines = 0;
  std::uint64_t lines_max = 500;                  ///< further ones are left out and counted
  std::uint64_t bytes_max = 10 << 20;             ///< the same
  Nanoseconds timeout = std::chrono::seconds(5);  ///< after which an event that waits for more lines is given out
  bool skip_newline = false;                      ///< lines are joined without a line feed
  bool parts = false;                             ///< first of all, lines that say kGoesOn go on in the next one
  std::string tag;                                ///< Logstash: of events of several lines ("multiline"); empty: none
};

}  // namespace enclave::pipeline
