#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

/// One dead letter: an event that an output refused for good (docs/formats/dead-letters.md).
namespace enclave::pipeline {

struct Letter {
  std::int64_t wall_ns = 0;  ///< when it was refused
  std::string plugin;        ///< "elasticsearch"
  std::string output;        ///< its id: "elasticsearch at pipeline.conf:12"
  std::string reason;
  std::string to;            ///< what the output needs besides to send it again
  std::string event;         ///< the bytes that were refused, JSON mostly
  std::uint32_t events = 1;  ///< that they are: outputs may send several together
  bool anew = false;         ///< of a replay: the output makes the bytes again from the event
  bool operator==(const Letter&) const = default;
};

inline constexpr std::uint64_t kLetterBytesMax = 256 << 20;  ///< of one line

/// One line of JSON, LF-terminated.
std::string format_letter(const Letter& letter);

/// A line without its end. Bytes that were kept come back as they were. Members that it does not know are passed over.
/// Fault::corrupt when it is no letter, Fault::limit when it is longer than kLetterBytesMax.
Result<Letter> parse_letter(std::string_view line);

/// What a letter is called on the command line: the first 8 hexadecimal digits of the SHA-256 of its line.
std::string letter_id(std::string_view line);

/// The first line of a file out of which letters were taken names the taking that did it last.
std::string format_taken(std::string_view name);
/// Empty: the line is none of these.
std::optional<std::string> parse_taken(std::string_view line);

}  // namespace enclave::pipeline
