#include "cli/printable.h"

#include <fmt/core.h>

#include "base/encoding.h"

namespace enclave::cli {

std::string printable(std::string_view text, Tabs tabs) {
  std::string out;
  const bool utf8 = is_utf8(text);
  bool steers = false;  // U+0080 to U+009F, of which this is the second byte
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = utf8 && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    const bool plain = byte >= 0x20 && byte != 0x7f && (utf8 || byte < 0x80) && !c1 && !steers;
    if (plain || (byte == '\t' && tabs == Tabs::keep)) {
      out += text[i];
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
    steers = c1;
  }
  return out;
}

}  // namespace enclave::cli
