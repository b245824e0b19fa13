#include "report/diff.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

namespace enclave::report {
namespace {

constexpr std::size_t kLinesMax = 1'000;
constexpr std::size_t kAround = 3;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

using Lines = std::vector<std::string_view>;

/// common[i][j]: lines that a[i…] and b[j…] have in common, in order.
std::vector<DiffLine> shortest(const Lines& a, const Lines& b) {
  std::vector<std::vector<std::uint16_t>> common(a.size() + 1, std::vector<std::uint16_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;)
    for (std::size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? static_cast<std::uint16_t>(common[i + 1][j + 1] + 1)
                                  : std::max(common[i + 1][j], common[i][j + 1]);
  std::vector<DiffLine> out;
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      out.push_back({' ', std::string(a[i++])});
      ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      out.push_back({'-', std::string(a[i++])});
    } else {
      out.push_back({'+', std::string(b[j++])});
    }
  }
  return out;
}

}  // namespace

std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after) {
  const Lines a = lines_of(before), b = lines_of(after);
  if (a.size() > kLinesMax || b.size() > kLinesMax) {
    std::vector<DiffLine> whole;
    for (const auto line : a) whole.push_back({'-', std::string(line)});
    for (const auto line : b) whole.push_back({'+', std::string(line)});
    return whole;
  }
  const auto all = shortest(a, b);
  std::vector<DiffLine> out;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].mark == ' ') ++end;
    const std::size_t head = i == 0 ? 0 : kAround, tail = end == all.size() ? 0 : kAround;
    // One line left out would take a line to say so.
    if (end - i > head + tail + 1) {
      out.insert(out.end(), all.begin() + i, all.begin() + i + head);
      out.push_back({'@', fmt::format("{} lines that stay", end - i - head - tail)});
      i = end - tail;
    }
    for (; i < end; ++i) out.push_back(all[i]);
    for (; i < all.size() && all[i].mark != ' '; ++i) out.push_back(all[i]);
  }
  return out;
}

}  // namespace enclave::report
