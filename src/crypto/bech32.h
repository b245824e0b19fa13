#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

/// Bech32 (BIP 173) without its length limit, as age writes keys. The text may be a secret: errors do not repeat it,
/// and no intermediate copy stays in memory.
namespace enclave::crypto {

/// `prefix` in one case, which the whole text then has.
std::string to_bech32(std::string_view prefix, std::string_view bytes);

/// The bytes of a text with exactly this prefix, in its case. Fault::invalid says what is wrong.
Result<std::string> from_bech32(std::string_view prefix, std::string_view text);

}  // namespace enclave::crypto
