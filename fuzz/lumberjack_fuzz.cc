// uses: event
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "event/lumberjack.h"

namespace {

using enclave::event::LumberjackDecoder;
using enclave::event::LumberjackLimits;

// What was read, and the first error, as one text.
std::string read(std::string_view bytes, std::size_t piece) {
  LumberjackLimits limits;
  limits.frame_bytes = 4096;
  limits.inflated_bytes = 20'000;
  LumberjackDecoder decoder(limits);
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    decoder.feed(bytes.substr(at, piece));
    for (;;) {
      auto item = decoder.next();
      if (!item) {
        ENSURE(!decoder.next());
        return seen + item.error().text();
      }
      if (!*item) break;
      ENSURE((*item)->is_event || (*item)->ends_window);
      if ((*item)->is_event) seen += (*item)->json;
      if ((*item)->ends_window) seen += "\n" + std::to_string((*item)->ack) + "\n";
    }
    ENSURE(decoder.buffered() < 1U << 20);
  }
  return seen;
}

}  // namespace

// Whatever a sender sends, in whatever pieces it comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 1 << 16));
  const std::string whole = read(bytes, std::max<std::size_t>(bytes.size(), 1));
  ENSURE(read(bytes, 1 + bytes.size() / 7) == whole);
  if (bytes.size() < 2000) ENSURE(read(bytes, 1) == whole);
  return 0;
}
