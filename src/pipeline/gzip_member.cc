#include "pipeline/gzip_member.h"

#define ZLIB_CONST
#include <zlib.h>

#include <vector>

namespace enclave::pipeline {
namespace {

constexpr int kGzipWindow = 15 + 16;

}  // namespace

Result<std::uint64_t> whole_gzip_bytes(const std::function<Result<std::string_view>()>& read) {
  struct Inflater {
    Inflater() { ENSURE(inflateInit2(&stream, kGzipWindow) == Z_OK); }
    ~Inflater() { inflateEnd(&stream); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    z_stream stream{};
  } inflater;
  z_stream& stream = inflater.stream;
  std::vector<Bytef> unused(64 << 10);
  std::uint64_t given = 0, whole = 0;
  for (;;) {
    const std::string_view bytes = TRY(read());
    if (bytes.empty()) return whole;
    given += bytes.size();
    stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    bool full = false;
    while (stream.avail_in > 0 || full) {
      stream.next_out = unused.data();
      stream.avail_out = static_cast<uInt>(unused.size());
      const int code = inflate(&stream, Z_NO_FLUSH);
      full = stream.avail_out == 0;
      if (code == Z_STREAM_END) {
        whole = given - stream.avail_in;
        full = false;
        inflateReset(&stream);
      } else if (code == Z_BUF_ERROR) {
        break;
      } else if (code != Z_OK) {
        return whole;
      }
    }
  }
}

}  // namespace enclave::pipeline
