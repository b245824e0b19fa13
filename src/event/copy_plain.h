#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace enclave::event {

/// Behind what copy_plain() copies up to this many bytes of `to` may be overwritten.
inline constexpr std::size_t kCopyOverrun = 64;

/// Copies bytes that can stand in a JSON string as they are, up to the first that cannot: control characters, quotes,
/// backslashes and, unless `high_is_fine`, everything from 0x80 on. Gives how many were copied. `to` has room for
/// all of `from` and kCopyOverrun more.
std::size_t copy_plain(std::string_view from, char* to, bool high_is_fine);

/// The ways to do that which this processor knows, for tests.
using CopyPlain = std::size_t (*)(std::string_view from, char* to, bool high_is_fine);
std::vector<CopyPlain> all_copy_plain();

}  // namespace enclave::event
