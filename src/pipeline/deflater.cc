#include "pipeline/deflater.h"

#define ZLIB_CONST
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/result.h"

namespace enclave::pipeline {
namespace {

constexpr std::size_t kPiece = 1 << 30;  ///< lengths of both libraries have 32 bits
constexpr std::size_t kRoom = 16 << 10;
/// The last level of zlib's that is ISA-L's.
constexpr int kIsalLast = 6;

/// More room behind what is used, at least kRoom.
std::size_t more_room(std::string& out, std::size_t used, std::size_t likely) {
  out.resize(used + std::max(likely, kRoom));
  return std::min(out.size() - used, kPiece);
}

}  // namespace

struct Deflater::Packer {
  virtual ~Packer() = default;
  virtual void append(std::string_view plain, std::string& out) = 0;
};

struct Deflater::Isal final : Packer {
  Isal(Form wanted, int of_zlib) : form(wanted), level(of_zlib <= 2 ? 1 : of_zlib <= 4 ? 2 : 3) {
    constexpr std::size_t kBytes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                      ISAL_DEF_LVL3_DEFAULT};
    buffer.resize(kBytes[level]);
    isal_gzip_header_init(&gzip_header);
  }

  void append(std::string_view plain, std::string& out) override {
    isal_deflate_init(&stream);
    stream.level = static_cast<std::uint32_t>(level);
    stream.level_buf = buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(buffer.size());
    stream.gzip_flag = form == Form::gzip ? IGZIP_GZIP : IGZIP_ZLIB;
    std::size_t used = out.size();
    // A third is more than lines of logs take.
    std::size_t likely = plain.size() / 3;
    do {
      const std::size_t give = std::min(plain.size(), kPiece);
      // tidy: allow const_cast: the library only reads there
      stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(plain.data()));
      stream.avail_in = static_cast<std::uint32_t>(give);
      plain.remove_prefix(give);
      stream.end_of_stream = plain.empty() ? 1 : 0;
      do {
        const std::size_t room = more_room(out, used, likely);
        stream.next_out = reinterpret_cast<std::uint8_t*>(out.data() + used);
        stream.avail_out = static_cast<std::uint32_t>(room);
        ENSURE(isal_deflate(&stream) == COMP_OK);
        used += room - stream.avail_out;
        likely = 0;
      } while (stream.avail_out == 0);
    } while (!plain.empty());
    ENSURE(stream.internal_state.state == ZSTATE_END);
    out.resize(used);
  }

  const Form form;
  const int level;
  std::vector<std::uint8_t> buffer;
  isal_zstream stream{};
  isal_gzip_header gzip_header{};
};

struct Deflater::Zlib final : Packer {
  Zlib(Form form, int level) {
    constexpr int kZlibWindow = 15, kGzipWindow = 15 + 16, kMemory = 8;
    const int window = form == Form::gzip ? kGzipWindow : kZlibWindow;
    ENSURE(::deflateInit2(&stream, level, Z_DEFLATED, window, kMemory, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Zlib() override { ::deflateEnd(&stream); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;

  void append(std::string_view plain, std::string& out) override {
    ENSURE(::deflateReset(&stream) == Z_OK);
    std::size_t used = out.size(), likely = plain.size() / 3;
    int code = Z_OK;
    while (code != Z_STREAM_END) {
      const std::size_t give = std::min(plain.size(), kPiece);
      stream.next_in = reinterpret_cast<const Bytef*>(plain.data());
      stream.avail_in = static_cast<uInt>(give);
      plain.remove_prefix(give);
      do {
        const std::size_t room = more_room(out, used, likely);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
        stream.avail_out = static_cast<uInt>(room);
        code = ::deflate(&stream, plain.empty() ? Z_FINISH : Z_NO_FLUSH);
        ENSURE(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR);
        used += room - stream.avail_out;
        likely = 0;
      } while (stream.avail_out == 0);
    }
    out.resize(used);
  }

  z_stream stream{};
};

Deflater::Deflater(Form form, int level) {
  ENSURE(level >= 1 && level <= 9);
  if (level <= kIsalLast) {
    packer_ = std::make_unique<Isal>(form, level);
  } else {
    packer_ = std::make_unique<Zlib>(form, level);
  }
}
Deflater::~Deflater() = default;

void Deflater::append(std::string_view plain, std::string& out) { packer_->append(plain, out); }

}  // namespace enclave::pipeline
