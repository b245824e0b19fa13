#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Texts for terminals of 80 columns.
namespace enclave::report {

inline constexpr std::size_t kColumns = 80;

/// Columns that a UTF-8 text takes, one a character.
std::size_t width_of(std::string_view text);

/// Without control characters: foreign bytes must not steer a terminal. Tabs become spaces.
std::string printable(std::string_view text);

/// Words on lines of at most 80 columns, each behind `indent`, the first behind `first`; a longer word has a line of
/// its own. Line ends in the text stay, and so do wide gaps within a line; where the text is foreign, give printable()
/// of it, so that it cannot begin a line that looks like one of ours.
std::string wrapped(std::string_view text, std::string_view first, std::string_view indent);

/// One line as it stands, broken where 80 columns end; goes on behind `indent`.
std::string broken(std::string_view line, std::string_view first, std::string_view indent);

/// "1,200"
std::string grouped(std::uint64_t number);

/// "1 change", "1,200 changes"
std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace enclave::report
