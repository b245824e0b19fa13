#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace enclave::cli {

enum class Tabs : std::uint8_t { escape, keep };

/// What is printed must not command the terminal: control characters (C0, DEL, C1), and in texts that are not UTF-8
/// every byte above 0x7f, become \x1b. Keys and lines stay recognisable; texts that are wrapped take
/// report::printable().
std::string printable(std::string_view text, Tabs tabs = Tabs::escape);

}  // namespace enclave::cli
