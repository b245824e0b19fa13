#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace enclave::pipeline {

/// Bytes that find_newlines() looks at in one call.
inline constexpr std::size_t kNewlineBlock = 16 * 1024;

/// Writes the indices of the LF bytes of `block` (at most kNewlineBlock bytes) to `into`, in order. Gives their number.
std::size_t find_newlines(std::string_view block, std::span<std::uint16_t, kNewlineBlock> into);

/// The same without the processor's wide registers: what machines without AVX2 run.
std::size_t find_newlines_portable(std::string_view block, std::span<std::uint16_t, kNewlineBlock> into);

}  // namespace enclave::pipeline
