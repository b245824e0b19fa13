// uses: pipeline
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "pipeline/file_lines.h"

namespace {

class MemoryFile : public enclave::File {
 public:
  explicit MemoryFile(std::string_view bytes) : bytes_(bytes) {}
  enclave::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return 0;
    return bytes_.substr(offset).copy(into.data(), into.size());
  }
  enclave::Result<void> write_at(std::uint64_t, std::string_view) override { return {}; }
  enclave::Result<void> sync() override { return {}; }
  enclave::Result<void> truncate(std::uint64_t) override { return {}; }
  enclave::Result<enclave::FileInfo> info() override {
    enclave::FileInfo info;
    info.bytes = bytes_.size();
    return info;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

// A gzip file that somebody left: its lines stand one after the other, however much of it is read at once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace enclave::pipeline;
  // Unpacks to a thousand times its size at most.
  MemoryFile file({reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4096)});
  GzipContent content(file, 2000);
  LineCursor cursor;
  enclave::event::Batch batch;
  LinePass pass;
  for (int i = 0; i < 10'000 && !pass.at_end; ++i) {
    LinePass part;
    if (!LineReader(content, 1000, batch, 0).read(cursor, 5000, 0, part)) break;
    pass.at_end = part.at_end;
  }
  (void)LineReader(content, 1000, batch, 0).read_rest(cursor, pass);
  std::uint64_t end = 0;
  for (const auto& event : batch.events) {
    ENSURE(event.offset == end && event.raw.size() <= 1000);
    end += event.raw.size() + event.cut_bytes +
           (event.eol == enclave::event::Eol::lf     ? 1
            : event.eol == enclave::event::Eol::crlf ? 2
                                                     : 0);
  }
  ENSURE(cursor.offset == end);
  return 0;
}
