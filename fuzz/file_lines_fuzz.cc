// uses: pipeline event io base
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/file_lines.h"

namespace {

using namespace enclave;

/// Bytes as a file has them, of which more and more can be seen.
class Bytes final : public pipeline::Content {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= seen) return std::size_t{0};
    const std::size_t got = std::min<std::uint64_t>(into.size(), seen - offset);
    bytes_.copy(into.data(), got, offset);
    return got;
  }
  std::uint64_t seen = 0;

 private:
  std::string_view bytes_;
};

std::string read(std::string_view bytes, const pipeline::LineCut& cut, std::size_t line_max, std::size_t step) {
  Bytes content(bytes);
  pipeline::LineCursor cursor;
  event::Batch batch;
  while (content.seen < bytes.size()) {
    content.seen = std::min<std::uint64_t>(bytes.size(), content.seen + step);
    pipeline::LinePass pass;
    pipeline::LineReader reader(content, line_max, batch, 0, cut);
    ENSURE(reader.read(cursor, bytes.size() + 1, content.seen, pass));
  }
  pipeline::LinePass pass;
  ENSURE(pipeline::LineReader(content, line_max, batch, 0, cut).read_rest(cursor, pass));
  ENSURE(cursor.offset == bytes.size());
  std::string all;
  for (const auto& event : batch.events)
    all += std::to_string(event.offset) + " " + std::to_string(event.cut_bytes) + " " + std::string(event.raw) + "\n";
  return all;
}

}  // namespace

// Any bytes as a file of UTF-16, or with any line end: the same lines come out however it grows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  pipeline::LineCut cut;
  if (data[0] % 3 != 0) {
    cut = pipeline::LineCut::utf16(data[0] % 3 == 1, (data[0] & 8U) != 0 ? "a" : "");
  } else if ((data[0] & 8U) != 0) {
    cut = {std::string(1 + (data[0] >> 4) % 4, 'a'), (data[0] & 4U) != 0 ? "b" : "", pipeline::LineCut::Text::as_is};
  }
  const std::size_t line_max = (data[0] & 128U) != 0 ? 1 + data[1] : 1 << 20;
  const std::string whole = read(bytes, cut, line_max, bytes.size() + 1);
  ENSURE(read(bytes, cut, line_max, 1 + data[2]) == whole);
  return 0;
}
