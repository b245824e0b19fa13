#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What changes between two texts, line by line.
namespace enclave::report {

struct DiffLine {
  char mark;  ///< ' ', '-' or '+'; '@': lines that are the same were left out, `text` says how many
  std::string text;
};

/// The shortest difference, with three lines around each change. Beyond 1,000 lines a text, whole texts are shown one
/// after the other.
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after);

}  // namespace enclave::report
