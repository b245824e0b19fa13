// uses: pipeline event base
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "pipeline/stream_framer.h"

namespace {

using namespace enclave;
using pipeline::StreamFramer;

std::string frame(std::string_view bytes, StreamFramer::Framing framing, std::size_t piece) {
  constexpr std::size_t kMost = 64;
  StreamFramer framer(framing, kMost);
  event::Batch batch;
  std::vector<StreamFramer::Message> messages;
  std::string seen;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto fed = framer.feed(batch.store(bytes.substr(at, piece)), batch, messages, kMost);
    ENSURE(framer.held() <= kMost + 1);
    if (!fed) {
      seen = fed.error().text();
      break;
    }
  }
  if (seen.empty()) framer.finish(batch, messages);
  for (const auto& message : messages) {
    ENSURE(message.bytes.size() <= kMost);
    seen += std::string(message.bytes) + "|" + std::to_string(message.cut_bytes) + "\n";
  }
  return seen;
}

}  // namespace

// Whatever a sender sends, in whatever pieces it comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 1 << 14));
  for (const auto framing : {StreamFramer::Framing::lines, StreamFramer::Framing::lines_or_counted}) {
    const std::string whole = frame(bytes, framing, std::max<std::size_t>(bytes.size(), 1));
    ENSURE(frame(bytes, framing, 1) == whole);
    ENSURE(frame(bytes, framing, 1 + bytes.size() / 5) == whole);
  }
  return 0;
}
